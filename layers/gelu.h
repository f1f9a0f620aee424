#pragma once
// GELU as a layer of its own.
#include <string>

#include "layers/layer.h"

namespace bitlab {

// y = x Phi(x), with the exact erf.
class Gelu : public Layer {
 public:
  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string&, const ParamVisitor&) override {}
  std::string describe() const override { return "GELU"; }
};

}  // namespace bitlab
