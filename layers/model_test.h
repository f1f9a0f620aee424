#pragma once
// What tests of models share.
#include <vector>

#include "core/base/rng.h"
#include "layers/models/model.h"

namespace bitlab {

inline std::vector<std::int32_t> random_tokens(size_t n, size_t vocab) {
  std::vector<std::int32_t> tokens(n);
  for (size_t i = 0; i < n; ++i)
    tokens[i] = static_cast<std::int32_t>(Rng(1, "tokens").below(vocab, 0, i));
  return tokens;
}

// Of `batch` sequences of the same length.
inline std::vector<real> logits(const LanguageModel& model,
                                const std::vector<std::int32_t>& tokens,
                                size_t batch = 1) {
  Pass pass;
  pass.batch = batch;
  pass.seq_len = tokens.size() / batch;
  pass.tokens = tokens.data();
  const View z = model.logits(pass);
  return {z.data, z.data + z.size()};
}

}  // namespace bitlab
