#include "layers/linear.h"

#include "core/ops/elementwise.h"
#include "core/tensor/check.h"
#include "core/tensor/gemm.h"
#include "layers/params.h"

namespace bitlab {

size_t LinearShape::out() const {
  size_t n = 0;
  for (const Part& part : parts) n += part.out;
  return n;
}

LinearParams::LinearParams(const LinearShape& shape, bool ternary)
    : in_(shape.in), out_(shape.out()) {
  for (const LinearShape::Part& part : shape.parts) {
    Param weight;
    weight.name = part.name + ".weight";
    weight.rows = part.out;
    weight.cols = shape.in;
    weight.init = shape.init;
    weight.ternary = ternary;
    weights_.push_back(weight);
    if (!shape.bias) continue;
    Param bias;
    bias.name = part.name + ".bias";
    bias.cols = part.out;
    biases_.push_back(bias);
  }
}

void LinearParams::visit(const std::string& prefix, const ParamVisitor& visit) {
  for (Param& p : weights_) visit(prefix, p);
  for (Param& p : biases_) visit(prefix, p);
}

View LinearParams::biases() const {
  return biases_.empty() ? View{} : View{biases_[0].value.data, 1, out_};
}

View LinearParams::weight_gradients(Gradients& g) const {
  return {g.of(weights_[0]).data, out_, in_};
}

View LinearParams::bias_gradients(Gradients& g) const { return {g.of(biases_[0]).data, 1, out_}; }

Linear::Linear(const LinearShape& shape)
    : in_(shape.in), out_(shape.out()), params_(shape, false) {}

View Linear::forward(View x, Pass& pass) const {
  const View y = pass.arena.matrix(x.rows, out_);
  matmul_nt(x, params_.weights(), y);
  if (params_.biases().data) add_bias(params_.biases(), y);
  pass.saved.push(x);
  return y;
}

View Linear::backward(View dy, Pass& pass) const {
  const View x = pass.saved.pop();
  if (params_.biases().data) bias_backward(dy, params_.bias_gradients(*pass.gradients));
  matmul_tn_add(dy, x, params_.weight_gradients(*pass.gradients));
  const View dx = pass.arena.matrix(x.rows, x.cols);
  matmul_nn(dy, params_.weights(), dx);
  return dx;
}

void Linear::visit_params(const std::string& prefix, const ParamVisitor& visit) {
  params_.visit(prefix, visit);
}

std::string Linear::describe() const {
  return "Linear " + std::to_string(in_) + " -> " + std::to_string(out_);
}

TiedHead::TiedHead(Param& embedding, bool bias) : embedding_(embedding) {
  bias_.name = "bias";
  bias_.cols = bias ? embedding.rows : 0;
}

View TiedHead::forward(View x, Pass& pass) const {
  const View y = pass.arena.matrix(x.rows, embedding_.rows);
  matmul_nt(x, embedding_.value, y);
  if (bias_.cols) add_bias(bias_.value, y);
  pass.saved.push(x);
  return y;
}

View TiedHead::backward(View dy, Pass& pass) const {
  const View x = pass.saved.pop();
  if (bias_.cols) bias_backward(dy, pass.gradients->of(bias_));
  matmul_tn_add(dy, x, pass.gradients->of(embedding_));
  const View dx = pass.arena.matrix(x.rows, x.cols);
  matmul_nn(dy, embedding_.value, dx);
  return dx;
}

void TiedHead::visit_params(const std::string& prefix, const ParamVisitor& visit) {
  visit(prefix, embedding_);
  if (bias_.cols) visit(prefix, bias_);
}

std::string TiedHead::describe() const {
  return "Head " + std::to_string(embedding_.cols) + " -> " + std::to_string(embedding_.rows) +
         ", tied to the embedding";
}

}  // namespace bitlab
