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

void Sequential::prepare(std::uint64_t step) {
  for (auto& [name, child] : children_) child->prepare(step);
}

double Sequential::macs_per_row(size_t seq_len) const {
  double macs = 0;
  for (const auto& [name, child] : children_) macs += child->macs_per_row(seq_len);
  return macs;
}

void Sequential::visit_ternary(const TernaryVisitor& visit) const {
  for (const auto& [name, child] : children_) child->visit_ternary(visit);
}

bool Sequential::fix_ternary(const std::string& name,
                             const std::vector<std::int8_t>& codes,
                             real scale) {
  for (const auto& [child_name, child] : children_)
    if (child->fix_ternary(name, codes, scale)) return true;
  return false;
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
void Residual::prepare(std::uint64_t step) { inner_->prepare(step); }
double Residual::macs_per_row(size_t seq_len) const { return inner_->macs_per_row(seq_len); }
void Residual::visit_ternary(const TernaryVisitor& visit) const { inner_->visit_ternary(visit); }
bool Residual::fix_ternary(const std::string& name,
                           const std::vector<std::int8_t>& codes,
                           real scale) {
  return inner_->fix_ternary(name, codes, scale);
}
std::string Residual::describe() const { return "x + (" + inner_->describe() + ")"; }

}  // namespace bitlab
