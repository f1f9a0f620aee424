#include "layers/feed_forward.h"

#include "core/base/error.h"
#include "core/ops/elementwise.h"

namespace bitlab {

Activation parse_activation(const std::string& name) {
  if (name == "relu") return Activation::Relu;
  if (name == "gelu") return Activation::Gelu;
  throw UsageError("activation", "must be relu or gelu, but got '" + name + "'");
}

FeedForward::FeedForward(LayerPtr w1, Activation activation, LayerPtr w2)
    : w1_(std::move(w1)), w2_(std::move(w2)), activation_(activation) {}

View FeedForward::forward(View x, Pass& pass) const {
  const View h = w1_->forward(x, pass);
  View a = h;  // ReLU in place: its backward needs the output only
  if (activation_ == Activation::Relu) {
    relu_forward(h, a);
  } else {
    a = pass.arena.matrix(h.rows, h.cols);
    gelu_forward(h, a);
  }
  pass.saved.push(h);
  return w2_->forward(a, pass);
}

View FeedForward::backward(View dy, Pass& pass) const {
  const View da = w2_->backward(dy, pass);
  const View h = pass.saved.pop();
  if (activation_ == Activation::Relu)
    relu_backward(h, da);
  else
    gelu_backward(h, da);
  return w1_->backward(da, pass);
}

void FeedForward::visit_params(const std::string& prefix, const ParamVisitor& visit) {
  w1_->visit_params(prefix, visit);
  w2_->visit_params(prefix, visit);
}

void FeedForward::visit_leaves(const LeafVisitor& visit) {
  w1_->visit_leaves(visit);
  w2_->visit_leaves(visit);
}

double FeedForward::macs_per_row(size_t seq_len) const {
  return w1_->macs_per_row(seq_len) + w2_->macs_per_row(seq_len);
}

std::string FeedForward::describe() const {
  return "FeedForward(" + w1_->describe() +
         (activation_ == Activation::Relu ? "; ReLU; " : "; GELU; ") + w2_->describe() + ")";
}

}  // namespace bitlab
