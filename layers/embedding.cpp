#include "layers/embedding.h"

#include <cstring>
#include <utility>

#include "core/base/error.h"
#include "core/base/huge_pages.h"
#include "core/simd/kernels.h"
#include "layers/params.h"

namespace bitlab {

namespace {

Param table(const std::string& name, size_t rows, size_t cols, Init init) {
  Param p;
  p.name = name;
  p.rows = rows;
  p.cols = cols;
  p.init = init;
  return p;
}

}  // namespace

TokenTable::TokenTable(const std::string& name, size_t vocab_size, size_t width, Init init)
    : param_(table(name, vocab_size, width, init)) {}

void TokenTable::read(std::int32_t token, real* out) const {
  if (token < 0 || static_cast<size_t>(token) >= param_.rows)
    throw Error("embedding", "tokens must be below " + std::to_string(param_.rows) + ", but got " +
                                 std::to_string(token));
  const auto row = static_cast<size_t>(token);
  if (held_.values.empty()) {
    std::memcpy(out, param_.value.row(row), width() * sizeof(real));
    return;
  }
  for (size_t c = 0; c < width(); ++c) out[c] = held_.at(row * width() + c);
}

void TokenTable::hold(SmallFloats values) {
  if (values.values.size() != param_.size())
    throw Error(param_.name, "must have " + std::to_string(param_.size()) + " values, but got " +
                                 std::to_string(values.values.size()));
  held_ = std::move(values);
  give_back_pages(param_.value.data, param_.size() * sizeof(real));
}

Embedding::Embedding(size_t vocab_size, size_t seq_len, size_t width, Init init, size_t n_types)
    : token_("token.weight", vocab_size, width, init),
      position_(table("position.weight", seq_len, width, init)),
      type_(table("type.weight", n_types, n_types ? width : 0, init)) {}

View Embedding::forward(View, Pass& pass) const {
  const auto add = simd::kernels().add;
  const size_t C = token_.width();
  const View y = pass.matrix(C);
  for (size_t b = 0; b < pass.batch; ++b) {
    const size_t begin = pass.begin_of(b), end = pass.first_position + pass.length_of(b);
    if (end > position_.rows)
      throw Error("embedding", "a sequence must have at most " + std::to_string(position_.rows) +
                                   " positions, but has " + std::to_string(end));
    for (size_t t = 0; t < pass.length_of(b); ++t) {
      real* out = y.row(begin + t);
      token_.read(pass.tokens[begin + t], out);
      add(C, position_.value.row(pass.first_position + t), out);
      if (type_.cols) add(C, type_.value.data, out);
    }
  }
  return y;
}

View Embedding::backward(View dy, Pass& pass) const {
  const View dtoken = pass.gradients->of(token_.param()), dposition = pass.gradients->of(position_);
  const auto add = simd::kernels().add;
  for (size_t b = 0; b < pass.batch; ++b)
    for (size_t t = 0, r = pass.begin_of(b); t < pass.length_of(b); ++t, ++r) {
      add(dy.cols, dy.row(r), dtoken.row(static_cast<size_t>(pass.tokens[r])));
      add(dy.cols, dy.row(r), dposition.row(t));
    }
  if (type_.cols)
    simd::kernels().bias_backward(dy.rows, dy.cols, dy.data, pass.gradients->of(type_).data);
  return {};
}

void Embedding::visit_params(const std::string& prefix, const ParamVisitor& visit) {
  visit(prefix, token_.param());
  visit(prefix, position_);
  if (type_.cols) visit(prefix, type_);
}

std::string Embedding::describe() const {
  return "Embedding " + std::to_string(token_.param().rows) + " tokens, " +
         std::to_string(position_.rows) + " positions, width " + std::to_string(token_.width());
}

TokenEmbedding::TokenEmbedding(size_t vocab_size, size_t width, Init init)
    : token_("weight", vocab_size, width, init) {}

View TokenEmbedding::forward(View, Pass& pass) const {
  const View y = pass.matrix(token_.width());
  for (size_t r = 0; r < y.rows; ++r) token_.read(pass.tokens[r], y.row(r));
  return y;
}

View TokenEmbedding::backward(View dy, Pass& pass) const {
  const View dtoken = pass.gradients->of(token_.param());
  for (size_t r = 0; r < dy.rows; ++r)
    simd::kernels().add(dy.cols, dy.row(r), dtoken.row(static_cast<size_t>(pass.tokens[r])));
  return {};
}

void TokenEmbedding::visit_params(const std::string& prefix, const ParamVisitor& visit) {
  visit(prefix, token_.param());
}

std::string TokenEmbedding::describe() const {
  return "TokenEmbedding " + std::to_string(token_.param().rows) + " tokens, width " +
         std::to_string(token_.width());
}

}  // namespace bitlab
