#include "layers/containers.h"

#include <cstring>

#include "core/base/error.h"
#include "core/ops/elementwise.h"

namespace bitlab {

void Sequential::add(const std::string& name, LayerPtr layer) {
  children_.emplace_back(name, std::move(layer));
}

View Sequential::forward(View x, Pass& pass) const {
  for (const auto& [name, child] : children_) x = child->forward(x, pass);
  return x;
}

View Sequential::backward(View dy, Pass& pass) const {
  for (auto child = children_.rbegin(); child != children_.rend(); ++child)
    dy = child->second->backward(dy, pass);
  return dy;
}

void Sequential::visit_params(const std::string& prefix, const ParamVisitor& visit) {
  for (auto& [name, child] : children_) child->visit_params(join_name(prefix, name), visit);
}

void Sequential::visit_leaves(const LeafVisitor& visit) {
  for (auto& [name, child] : children_) child->visit_leaves(visit);
}

void Sequential::visit_caches(const CacheVisitor& visit) const {
  for (const auto& [name, child] : children_) child->visit_caches(visit);
}

double Sequential::macs_per_row(size_t seq_len) const {
  double macs = 0;
  for (const auto& [name, child] : children_) macs += child->macs_per_row(seq_len);
  return macs;
}

std::string Sequential::describe() const {
  std::string text;
  for (const auto& [name, child] : children_)
    text += (text.empty() ? "" : " > ") + child->describe();
  return text;
}

Residual::Residual(LayerPtr inner) : inner_(std::move(inner)) {}

View Residual::forward(View x, Pass& pass) const {
  View y = inner_->forward(x, pass);
  if (y.cols != x.cols)
    throw Error("Residual", "the inner layer must keep the width " + std::to_string(x.cols) +
                                ", but returns " + std::to_string(y.cols));
  if (y.data == x.data) {  // the inner layer did nothing (dropout in evaluation); x must stay
    y = pass.arena.matrix(x.rows, x.cols);
    copy(x, y);
  }
  add(x, y);
  return y;
}

// dx = dy + inner'(dy). The inner backward may spend its argument, so it gets a copy. The sum ends
// in dy, so all that the inner backward took from the arena is given back.
View Residual::backward(View dy, Pass& pass) const {
  const Arena::Mark mark = pass.arena.mark();
  const View spent = pass.arena.matrix(dy.rows, dy.cols);
  copy(dy, spent);
  add(inner_->backward(spent, pass), dy);
  pass.arena.release(mark);
  return dy;
}

void Residual::visit_params(const std::string& prefix, const ParamVisitor& visit) {
  inner_->visit_params(prefix, visit);
}
void Residual::visit_leaves(const LeafVisitor& visit) { inner_->visit_leaves(visit); }
void Residual::visit_caches(const CacheVisitor& visit) const { inner_->visit_caches(visit); }
double Residual::macs_per_row(size_t seq_len) const { return inner_->macs_per_row(seq_len); }
std::string Residual::describe() const { return "x + (" + inner_->describe() + ")"; }

View LastPosition::forward(View x, Pass& pass) const {
  if (!pass.last_only) return x;
  const View y = pass.arena.matrix(pass.batch, x.cols);
  for (size_t b = 0; b < y.rows; ++b)
    std::memcpy(y.row(b), x.row((b + 1) * pass.seq_len - 1), x.cols * sizeof(real));
  return y;
}

SideBySide::SideBySide(std::vector<LayerPtr> children) : children_(std::move(children)) {}

// Backward has to know the widths: they are kept as views without memory.
View SideBySide::forward(View x, Pass& pass) const {
  View* const parts = pass.arena.array<View>(children_.size());
  size_t width = 0;
  for (size_t i = 0; i < children_.size(); ++i) {
    parts[i] = children_[i]->forward(x, pass);
    pass.saved.push({nullptr, x.rows, parts[i].cols});
    width += parts[i].cols;
  }
  const View y = pass.arena.matrix(x.rows, width);
  size_t first = 0;
  for (size_t i = 0; i < children_.size(); first += parts[i++].cols)
    copy_columns(parts[i], 0, y, first, parts[i].cols);
  return y;
}

View SideBySide::backward(View dy, Pass& pass) const {
  View dx{};
  size_t end = dy.cols;
  for (auto child = children_.rbegin(); child != children_.rend(); ++child) {
    const size_t cols = pass.saved.pop().cols;
    end -= cols;
    const View part = pass.arena.matrix(dy.rows, cols);
    copy_columns(dy, end, part, 0, cols);
    const View dpart = (*child)->backward(part, pass);
    if (dx.data)
      add(dpart, dx);
    else
      dx = dpart;
  }
  return dx;
}

void SideBySide::visit_params(const std::string& prefix, const ParamVisitor& visit) {
  for (const LayerPtr& child : children_) child->visit_params(prefix, visit);
}

void SideBySide::visit_leaves(const LeafVisitor& visit) {
  for (const LayerPtr& child : children_) child->visit_leaves(visit);
}

double SideBySide::macs_per_row(size_t seq_len) const {
  double macs = 0;
  for (const LayerPtr& child : children_) macs += child->macs_per_row(seq_len);
  return macs;
}

std::string SideBySide::describe() const {
  std::string text;
  for (const LayerPtr& child : children_) text += (text.empty() ? "" : " | ") + child->describe();
  return text;
}

}  // namespace bitlab
