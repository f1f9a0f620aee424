#pragma once
// ReLU as a layer of its own.
#include <string>

#include "layers/layer.h"

namespace bitlab {

// y = max(x, 0).
class Relu : public Layer {
 public:
  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string&, const ParamVisitor&) override {}
  std::string describe() const override { return "ReLU"; }
};

}  // namespace bitlab
