#include "experiments/generate.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.h"
#include "core/base/rng.h"

namespace bitlab {

std::int32_t sample_token(const real* logits,
                          std::size_t vocab_size,
                          const SamplingSettings& settings,
                          std::uint64_t position) {
  std::vector<std::int32_t> order(vocab_size);
  std::iota(order.begin(), order.end(), 0);
  // Ties go to the lower id, so that the order is the same everywhere.
  const auto likelier = [&](std::int32_t a, std::int32_t b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  };
  std::size_t kept = vocab_size;
  if (settings.temperature == 0)
    kept = 1;
  else if (settings.top_k > 0)
    kept = std::min(kept, static_cast<std::size_t>(settings.top_k));
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(),
                    likelier);
  if (!std::isfinite(logits[order[0]]))
    throw Error("generate", "logits must be finite, but are not", "did this run diverge?");
  if (kept == 1) return order[0];

  std::vector<double> cumulative(kept);
  double total = 0;
  for (std::size_t i = 0; i < kept; ++i) {
    const double score =
        static_cast<double>(logits[order[i]]) - static_cast<double>(logits[order[0]]);
    cumulative[i] = total += std::exp(score / settings.temperature);
  }
  const double draw = Rng(settings.seed, "generate").uniform(position, 0) * total;
  const auto chosen = std::upper_bound(cumulative.begin(), cumulative.end() - 1, draw);
  return order[static_cast<std::size_t>(chosen - cumulative.begin())];
}

void generate(const LanguageModel& model,
              std::vector<std::int32_t> tokens,
              std::size_t count,
              const SamplingSettings& settings,
              const std::function<void(std::int32_t)>& emit) {
  if (tokens.empty()) tokens.push_back(0);
  Pass pass;
  pass.batch = 1;
  for (std::size_t i = 0; i < count; ++i) {
    pass.seq_len = std::min(tokens.size(), model.seq_len());
    pass.tokens = tokens.data() + (tokens.size() - pass.seq_len);
    const View logits = model.logits(pass);
    tokens.push_back(sample_token(logits.row(logits.rows - 1), model.vocab_size(), settings, i));
    emit(tokens.back());
  }
}

}  // namespace bitlab
