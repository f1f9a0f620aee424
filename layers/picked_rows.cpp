#include "layers/picked_rows.h"

#include <algorithm>
#include <cstring>

namespace bitlab {

PickedRows::PickedRows(LayerPtr inner, double share) : inner_(std::move(inner)), share_(share) {}

View PickedRows::forward(View x, Pass& pass) const {
  if (!pass.picked) return inner_->forward(x, pass);
  const View some = pass.arena.matrix(pass.picked->size(), x.cols);
  for (size_t i = 0; i < some.rows; ++i)
    std::memcpy(some.row(i), x.row((*pass.picked)[i]), x.cols * sizeof(real));
  return inner_->forward(some, pass);
}

View PickedRows::backward(View dy, Pass& pass) const {
  const View dsome = inner_->backward(dy, pass);
  if (!pass.picked) return dsome;
  const View dx = pass.matrix(dsome.cols);
  std::fill_n(dx.data, dx.size(), real(0));
  for (size_t i = 0; i < dsome.rows; ++i)
    std::memcpy(dx.row((*pass.picked)[i]), dsome.row(i), dx.cols * sizeof(real));
  return dx;
}

void PickedRows::visit_params(const std::string& prefix, const ParamVisitor& visit) {
  inner_->visit_params(prefix, visit);
}

void PickedRows::visit_leaves(const LeafVisitor& visit) { inner_->visit_leaves(visit); }

double PickedRows::macs_per_row(size_t seq_len) const {
  return share_ * inner_->macs_per_row(seq_len);
}

std::string PickedRows::describe() const { return "picked rows > " + inner_->describe(); }

}  // namespace bitlab
