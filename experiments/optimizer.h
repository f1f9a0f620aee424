#pragma once
// What to do with a gradient.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/config/fields.h"
#include "layers/params.h"

namespace bitlab {

struct OptimConfig : Configurable {
  std::string name = "adamw";
  double lr = 1e-3;             // the schedule's peak
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;
  std::string decay = "all";    // all, matrices (no norms, no biases), none of them embeddings excepted
  double clip = 0;              // largest global gradient norm, 0 for no limit

  void fields(FieldVisitor& v) override;
};

}  // namespace bitlab
