#pragma once
// The settings of BitLinear: a point in a space, not one class per paper.
#include <cstdint>
#include <memory>
#include <string>

#include "core/config/fields.h"

namespace bitlab {

struct BitLinearConfig : Configurable {
  // A known point that the other settings start from: b158, babybitnet-seed, imdb-seed,
  // bitnet700-seed.
  std::string preset = "b158";
  std::string weight_quant = "absmean";
  std::shared_ptr<Configurable> weight_quant_settings;  // its own, never changed once read
  double weight_eps = 1e-5;                             // smallest scale
  std::string act_quant = "int8";                       // int8 (absmax per token), none
  double act_eps = 1e-5;                                // smallest absmax
  std::string norm = "rmsnorm";  // inside, before quantisation: none, rmsnorm,
                                 // layernorm, layernorm_nobias
  double norm_eps = 1e-6;
  bool output_scale = true;  // false: a code of +1 stands for 1, as in kevbuh/bitnet
  std::string straight_through =
      "identity";  // identity, clipped (no gradient where the code is clamped)
  std::int64_t lambda_warmup_steps = 0;  // quantisation fades in: lambda = min(step / this, 1)

  void fields(FieldVisitor& v) override;

 private:
  std::string applied_preset_ = "b158";  // the one whose settings the members hold
};

}  // namespace bitlab
