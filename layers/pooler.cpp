#include "layers/pooler.h"

#include "core/ops/elementwise.h"
#include "layers/row_selection.h"

namespace bitlab {

Pooler::Pooler(LayerPtr dense, PoolerActivation activation)
    : dense_(std::move(dense)), activation_(activation) {}

View Pooler::forward(View x, Pass& pass) const {
  const auto first_of = [&](size_t b) { return pass.begin_of(b); };
  const View h = dense_->forward(gather_rows(x, pass.batch, first_of, pass), pass);
  const View y = pass.arena.matrix(h.rows, h.cols);  // what comes next may keep it
  if (activation_ == PoolerActivation::Tanh)
    tanh_forward(h, y);
  else
    relu_forward(h, y);
  pass.saved.push(y);
  return y;
}

View Pooler::backward(View dy, Pass& pass) const {
  const View y = pass.saved.pop();
  if (activation_ == PoolerActivation::Tanh)
    tanh_backward(y, dy);
  else
    relu_backward(y, dy);
  const View dfirst = dense_->backward(dy, pass);
  return scatter_rows(
      dfirst, [&](size_t b) { return pass.begin_of(b); }, pass);
}

void Pooler::visit_params(const std::string& prefix, const ParamVisitor& visit) {
  dense_->visit_params(prefix, visit);
}

void Pooler::visit_leaves(const LeafVisitor& visit) { dense_->visit_leaves(visit); }

// One row of each sequence.
double Pooler::macs_per_row(size_t seq_len) const {
  return dense_->macs_per_row(1) / static_cast<double>(seq_len);
}

std::string Pooler::describe() const {
  return std::string("Pooler(") + dense_->describe() +
         (activation_ == PoolerActivation::Tanh ? "; tanh)" : "; ReLU)");
}

}  // namespace bitlab
