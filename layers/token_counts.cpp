#include "layers/token_counts.h"

#include <algorithm>

#include "core/base/error.h"

namespace bitlab {

View TokenCounts::forward(View, Pass& pass) const {
  const View y = pass.arena.matrix(pass.batch, vocab_size_);
  std::fill_n(y.data, y.size(), real(0));
  for (size_t b = 0; b < pass.batch; ++b) {
    const size_t begin = pass.begin_of(b), length = pass.length_of(b);
    for (size_t r = begin; r < begin + length; ++r) {
      const std::int32_t token = pass.tokens[r];
      if (token < 0 || static_cast<size_t>(token) >= vocab_size_)
        throw Error("token counts", "tokens must be below " + std::to_string(vocab_size_) +
                                        ", but got " + std::to_string(token));
      y(b, static_cast<size_t>(token)) += real(1) / static_cast<real>(length);
    }
  }
  return y;
}

std::string TokenCounts::describe() const {
  return "TokenCounts " + std::to_string(vocab_size_) + " tokens";
}

}  // namespace bitlab
