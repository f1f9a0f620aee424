#include "layers/picked_rows.h"

#include "layers/row_selection.h"

namespace bitlab {

PickedRows::PickedRows(LayerPtr inner, double share) : inner_(std::move(inner)), share_(share) {}

View PickedRows::forward(View x, Pass& pass) const {
  if (!pass.picked) return inner_->forward(x, pass);
  const auto row_of = [&](size_t i) { return (*pass.picked)[i]; };
  return inner_->forward(gather_rows(x, pass.picked->size(), row_of, pass), pass);
}

View PickedRows::backward(View dy, Pass& pass) const {
  const View dsome = inner_->backward(dy, pass);
  if (!pass.picked) return dsome;
  return scatter_rows(
      dsome, [&](size_t i) { return (*pass.picked)[i]; }, pass);
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
