#include "layers/embedding.h"

#include "core/base/error.h"
#include "core/simd/kernels.h"
#include "layers/params.h"

namespace bitlab {

Embedding::Embedding(size_t vocab_size, size_t seq_len, size_t width, Init init) {
  token_.name = "token.weight";
  token_.rows = vocab_size;
  token_.cols = width;
  token_.init = init;
  position_.name = "position.weight";
  position_.rows = seq_len;
  position_.cols = width;
  position_.init = init;
}

View Embedding::forward(View, Pass& pass) const {
  const size_t T = pass.seq_len, C = token_.cols;
  if (T > position_.rows)
    throw Error("embedding", "a sequence must have at most " + std::to_string(position_.rows) +
                                 " positions, but has " + std::to_string(T));
  const View y = pass.matrix(C);
  for (size_t r = 0; r < y.rows; ++r) {
    const std::int32_t token = pass.tokens[r];
    if (token < 0 || static_cast<size_t>(token) >= token_.rows)
      throw Error("embedding", "tokens must be below " + std::to_string(token_.rows) +
                                   ", but got " + std::to_string(token));
    const real* e = token_.value.row(static_cast<size_t>(token));
    const real* p = position_.value.row(r % T);
    real* out = y.row(r);
    for (size_t c = 0; c < C; ++c) out[c] = e[c] + p[c];
  }
  return y;
}

View Embedding::backward(View dy, Pass& pass) const {
  const View dtoken = pass.gradients->of(token_), dposition = pass.gradients->of(position_);
  const auto add = simd::kernels().add;
  for (size_t r = 0; r < dy.rows; ++r) {
    add(dy.cols, dy.row(r), dtoken.row(static_cast<size_t>(pass.tokens[r])));
    add(dy.cols, dy.row(r), dposition.row(r % pass.seq_len));
  }
  return {};
}

void Embedding::visit_params(const std::string& prefix, const ParamVisitor& visit) {
  visit(prefix, token_);
  visit(prefix, position_);
}

std::string Embedding::describe() const {
  return "Embedding " + std::to_string(token_.rows) + " tokens, " + std::to_string(position_.rows) +
         " positions, width " + std::to_string(token_.cols);
}

}  // namespace bitlab
