#pragma once
// Element-wise activations, alone and as a layer.
#include <string>

#include "layers/layer.h"

namespace bitlab {

enum class Activation { Relu, Relu2, Gelu };

Activation parse_activation(
    const std::string& name);                // relu, relu2, gelu; throws UsageError for another
const char* name_of(Activation activation);  // "ReLU", "ReLU squared", "GELU"

// a = act(h); ReLU may be in place.
void activation_forward(Activation activation, View h, View a);
// da *= act'(h). Of ReLU h may also be its output.
void activation_backward(Activation activation, View h, View da);

// y = act(x).
class ActivationLayer : public Layer {
 public:
  explicit ActivationLayer(Activation activation) : activation_(activation) {}

  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string&, const ParamVisitor&) override {}
  std::string describe() const override { return name_of(activation_); }

 private:
  Activation activation_;
};

}  // namespace bitlab
