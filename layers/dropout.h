#pragma once
// Dropout.
#include <string>

#include "layers/layer.h"

namespace bitlab {

// In training y = x m / (1 - p), m[r, c] = 0 with probability p: a bit that depends on (seed, key,
// step, row of the whole batch, column) only. In evaluation y = x. Rows are those of positions or,
// behind a pooler, those of sequences.
class Dropout : public Layer {
 public:
  Dropout(double probability, std::string key);

  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string&, const ParamVisitor&) override {}
  std::string describe() const override;

 private:
  void apply(View x, View y, const Pass& pass) const;

  double probability_;
  std::string key_;
};

}  // namespace bitlab
