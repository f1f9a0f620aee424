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
    std::memcpy(y.data, x.data, x.size() * sizeof(real));
  }
  add(x, y);
  return y;
}

// dx = dy + inner'(dy). The inner backward may spend its argument, so it gets a copy. The sum ends
// in dy, so all that the inner backward took from the arena is given back.
View Residual::backward(View dy, Pass& pass) const {
  const Arena::Mark mark = pass.arena.mark();
  const View copy = pass.arena.matrix(dy.rows, dy.cols);
  std::memcpy(copy.data, dy.data, dy.size() * sizeof(real));
  add(inner_->backward(copy, pass), dy);
  pass.arena.release(mark);
  return dy;
}

void Residual::visit_params(const std::string& prefix, const ParamVisitor& visit) {
  inner_->visit_params(prefix, visit);
}
void Residual::visit_leaves(const LeafVisitor& visit) { inner_->visit_leaves(visit); }
double Residual::macs_per_row(size_t seq_len) const { return inner_->macs_per_row(seq_len); }
std::string Residual::describe() const { return "x + (" + inner_->describe() + ")"; }

}  // namespace bitlab
