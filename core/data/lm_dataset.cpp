#include "core/data/lm_dataset.h"

#include <algorithm>

#include "core/base/error.h"

namespace bitlab {

LmDataset make_lm_dataset(std::string_view text, const Tokenizer& tokenizer, double val_fraction) {
  const std::vector<std::int32_t> tokens = tokenizer.encode(text);
  const auto cut =
      static_cast<std::ptrdiff_t>((1.0 - val_fraction) * static_cast<double>(tokens.size()));
  if (cut <= 0 || cut >= static_cast<std::ptrdiff_t>(tokens.size()))
    throw Error("data.val_fraction", "must leave tokens for both splits, but is " +
                                         std::to_string(val_fraction) + " for " +
                                         std::to_string(tokens.size()) + " tokens");
  return {{tokens.begin(), tokens.begin() + cut}, {tokens.begin() + cut, tokens.end()}};
}

RandomBatches::RandomBatches(std::span<const std::int32_t> split,
                             std::size_t seq_len,
                             std::uint64_t seed,
                             std::string_view purpose)
    : split_(split), seq_len_(seq_len), rng_(seed, purpose) {
  if (split.size() <= seq_len)
    throw Error("batches",
                "a split must have more than seq_len = " + std::to_string(seq_len) +
                    " tokens, but has " + std::to_string(split.size()),
                "use a longer text or a smaller seq_len");
}

void RandomBatches::fill(std::uint64_t step,
                         std::size_t first,
                         std::size_t count,
                         std::int32_t* tokens,
                         std::int32_t* targets) const {
  for (std::size_t row = first; row < first + count; ++row) {
    const std::size_t begin = rng_.below(split_.size() - seq_len_, step, row);
    tokens = std::copy_n(split_.data() + begin, seq_len_, tokens);
    targets = std::copy_n(split_.data() + begin + 1, seq_len_, targets);
  }
}

Windows::Windows(std::span<const std::int32_t> split, std::size_t seq_len)
    : split_(split), seq_len_(seq_len) {
  if (split.size() < 2)
    throw Error("windows",
                "a split must have at least 2 tokens, but has " + std::to_string(split.size()));
}

void Windows::fill(std::size_t first,
                   std::size_t count,
                   std::int32_t* tokens,
                   std::int32_t* targets) const {
  for (std::size_t window = first; window < first + count; ++window) {
    const std::size_t begin = std::min(window * seq_len_, split_.size() - 1);
    const std::size_t length = std::min(seq_len_, split_.size() - 1 - begin);
    tokens = std::fill_n(std::copy_n(split_.data() + begin, length, tokens), seq_len_ - length, 0);
    targets =
        std::fill_n(std::copy_n(split_.data() + begin + 1, length, targets), seq_len_ - length, -1);
  }
}

}  // namespace bitlab
