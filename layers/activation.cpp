#include "layers/activation.h"

#include "core/base/error.h"
#include "core/ops/elementwise.h"

namespace bitlab {

Activation parse_activation(const std::string& name) {
  if (name == "relu") return Activation::Relu;
  if (name == "relu2") return Activation::Relu2;
  if (name == "gelu") return Activation::Gelu;
  throw UsageError("activation", "must be relu, relu2 or gelu, but got '" + name + "'");
}

const char* name_of(Activation activation) {
  const char* const names[] = {"ReLU", "ReLU squared", "GELU"};
  return names[static_cast<size_t>(activation)];
}

void activation_forward(Activation activation, View h, View a) {
  if (activation == Activation::Relu)
    relu_forward(h, a);
  else if (activation == Activation::Relu2)
    relu2_forward(h, a);
  else
    gelu_forward(h, a);
}

void activation_backward(Activation activation, View h, View da) {
  if (activation == Activation::Relu)
    relu_backward(h, da);
  else if (activation == Activation::Relu2)
    relu2_backward(h, da);
  else
    gelu_backward(h, da);
}

View ActivationLayer::forward(View x, Pass& pass) const {
  const View y = pass.arena.matrix(x.rows, x.cols);
  activation_forward(activation_, x, y);
  pass.saved.push(x);
  return y;
}

View ActivationLayer::backward(View dy, Pass& pass) const {
  activation_backward(activation_, pass.saved.pop(), dy);
  return dy;
}

}  // namespace bitlab
