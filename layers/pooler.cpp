#include "layers/pooler.h"

#include <algorithm>
#include <cstring>

#include "core/ops/elementwise.h"

namespace bitlab {

Pooler::Pooler(LayerPtr dense, PoolerActivation activation)
    : dense_(std::move(dense)), activation_(activation) {}

View Pooler::forward(View x, Pass& pass) const {
  const View first = pass.arena.matrix(pass.batch, x.cols);
  for (size_t b = 0; b < pass.batch; ++b)
    std::memcpy(first.row(b), x.row(pass.begin_of(b)), x.cols * sizeof(real));
  const View h = dense_->forward(first, pass);
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
  const View dx = pass.matrix(dfirst.cols);
  std::fill_n(dx.data, dx.size(), real(0));
  for (size_t b = 0; b < pass.batch; ++b)
    std::memcpy(dx.row(pass.begin_of(b)), dfirst.row(b), dx.cols * sizeof(real));
  return dx;
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
