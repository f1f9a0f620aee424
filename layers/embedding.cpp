#include "layers/embedding.h"

#include <cstring>

#include "core/base/error.h"
#include "core/simd/kernels.h"
#include "layers/params.h"

namespace bitlab {

namespace {

// The row of the table of embeddings for a token that a pass brings.
size_t checked_token(std::int32_t token, const Param& table) {
  if (token < 0 || static_cast<size_t>(token) >= table.rows)
    throw Error("embedding", "tokens must be below " + std::to_string(table.rows) + ", but got " +
                                 std::to_string(token));
  return static_cast<size_t>(token);
}

}  // namespace

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

Embedding::Embedding(size_t vocab_size, size_t seq_len, size_t width, Init init, size_t n_types)
    : token_(table("token.weight", vocab_size, width, init)),
      position_(table("position.weight", seq_len, width, init)),
      type_(table("type.weight", n_types, n_types ? width : 0, init)) {}

View Embedding::forward(View, Pass& pass) const {
  const size_t C = token_.cols;
  const View y = pass.matrix(C);
  for (size_t b = 0; b < pass.batch; ++b) {
    const size_t begin = pass.begin_of(b), end = pass.first_position + pass.length_of(b);
    if (end > position_.rows)
      throw Error("embedding", "a sequence must have at most " + std::to_string(position_.rows) +
                                   " positions, but has " + std::to_string(end));
    for (size_t t = 0; t < pass.length_of(b); ++t) {
      const real* e = token_.value.row(checked_token(pass.tokens[begin + t], token_));
      const real* p = position_.value.row(pass.first_position + t);
      real* out = y.row(begin + t);
      for (size_t c = 0; c < C; ++c) out[c] = e[c] + p[c];
      if (type_.cols) simd::kernels().add(C, type_.value.data, out);
    }
  }
  return y;
}

View Embedding::backward(View dy, Pass& pass) const {
  const View dtoken = pass.gradients->of(token_), dposition = pass.gradients->of(position_);
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
  visit(prefix, token_);
  visit(prefix, position_);
  if (type_.cols) visit(prefix, type_);
}

std::string Embedding::describe() const {
  return "Embedding " + std::to_string(token_.rows) + " tokens, " + std::to_string(position_.rows) +
         " positions, width " + std::to_string(token_.cols);
}

TokenEmbedding::TokenEmbedding(size_t vocab_size, size_t width, Init init)
    : token_(table("weight", vocab_size, width, init)) {}

View TokenEmbedding::forward(View, Pass& pass) const {
  const View y = pass.matrix(token_.cols);
  for (size_t r = 0; r < y.rows; ++r)
    std::memcpy(y.row(r), token_.value.row(checked_token(pass.tokens[r], token_)),
                y.cols * sizeof(real));
  return y;
}

View TokenEmbedding::backward(View dy, Pass& pass) const {
  const View dtoken = pass.gradients->of(token_);
  for (size_t r = 0; r < dy.rows; ++r)
    simd::kernels().add(dy.cols, dy.row(r), dtoken.row(static_cast<size_t>(pass.tokens[r])));
  return {};
}

void TokenEmbedding::visit_params(const std::string& prefix, const ParamVisitor& visit) {
  visit(prefix, token_);
}

std::string TokenEmbedding::describe() const {
  return "TokenEmbedding " + std::to_string(token_.rows) + " tokens, width " +
         std::to_string(token_.cols);
}

}  // namespace bitlab
