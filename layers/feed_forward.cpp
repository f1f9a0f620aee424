#include "layers/feed_forward.h"

#include "core/ops/elementwise.h"

namespace bitlab {

FeedForward::FeedForward(LayerPtr w1, Activation activation, LayerPtr w2)
    : w1_(std::move(w1)), w2_(std::move(w2)), activation_(activation) {}

View FeedForward::forward(View x, Pass& pass) const {
  const View h = w1_->forward(x, pass);
  // ReLU in place: its backward needs the output only.
  const View a = activation_ == Activation::Relu ? h : pass.arena.matrix(h.rows, h.cols);
  activation_forward(activation_, h, a);
  pass.saved.push(h);
  return w2_->forward(a, pass);
}

View FeedForward::backward(View dy, Pass& pass) const {
  const View da = w2_->backward(dy, pass);
  const View h = pass.saved.pop();
  activation_backward(activation_, h, da);
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
  return "FeedForward(" + w1_->describe() + "; " + name_of(activation_) + "; " + w2_->describe() +
         ")";
}

GatedFeedForward::GatedFeedForward(LayerPtr gate_up, Gate gate, LayerPtr w_down)
    : gate_up_(std::move(gate_up)), w_down_(std::move(w_down)), gate_(gate) {}

View GatedFeedForward::forward(View x, Pass& pass) const {
  const View gu = gate_up_->forward(x, pass);
  const View h = pass.arena.matrix(gu.rows, gu.cols / 2);
  if (gate_ == Gate::Swiglu)
    swiglu_forward(gu, h);
  else
    relu2_glu_forward(gu, h);
  pass.saved.push(gu);
  return w_down_->forward(h, pass);
}

// The gradient of gate | up takes its place.
View GatedFeedForward::backward(View dy, Pass& pass) const {
  const View dh = w_down_->backward(dy, pass);
  const View gu = pass.saved.pop();
  if (gate_ == Gate::Swiglu)
    swiglu_backward(dh, gu);
  else
    relu2_glu_backward(dh, gu);
  return gate_up_->backward(gu, pass);
}

void GatedFeedForward::visit_params(const std::string& prefix, const ParamVisitor& visit) {
  gate_up_->visit_params(prefix, visit);
  w_down_->visit_params(prefix, visit);
}

void GatedFeedForward::visit_leaves(const LeafVisitor& visit) {
  gate_up_->visit_leaves(visit);
  w_down_->visit_leaves(visit);
}

double GatedFeedForward::macs_per_row(size_t seq_len) const {
  return gate_up_->macs_per_row(seq_len) + w_down_->macs_per_row(seq_len);
}

std::string GatedFeedForward::describe() const {
  return "GatedFeedForward(" + gate_up_->describe() +
         (gate_ == Gate::Swiglu ? "; SwiGLU; " : "; gated ReLU squared; ") + w_down_->describe() +
         ")";
}

}  // namespace bitlab
