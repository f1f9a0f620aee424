#include "core/data/lm_dataset.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/base/error.h"
#include "core/base/rng.h"

namespace bitlab {

LmDataset LmDataset::split(const Tokens& tokens, double val_fraction) {
  // Rounded to 1e-9 first: 0.1 is not exact in binary, and 0.9 n must not fall one short.
  const double share = static_cast<double>(tokens.size()) * (1 - val_fraction);
  const auto n = static_cast<std::ptrdiff_t>(std::floor(share + 1e-9 * share));
  LmDataset data{{tokens.begin(), tokens.begin() + n}, {tokens.begin() + n, tokens.end()}};
  if (data.train.size() < 2 || data.val.size() < 2)
    throw Error("data", "both splits must have at least 2 tokens, but a text of " +
                            std::to_string(tokens.size()) + " tokens gives " +
                            std::to_string(data.train.size()) + " and " + std::to_string(data.val.size()),
                "check data.val_fraction");
  return data;
}

RandomBatches::RandomBatches(const Tokens& split, std::size_t seq_len, std::uint64_t seed,
                             const char* purpose)
    : split_(split), seq_len_(seq_len), seed_(seed), purpose_(purpose) {
  if (split.size() <= seq_len)
    throw Error("data", "a split must be longer than seq_len = " + std::to_string(seq_len) + ", but has " +
                            std::to_string(split.size()) + " tokens",
                "use a longer text or a smaller model.seq_len");
}

void RandomBatches::fill(std::uint64_t step, std::size_t first_row, std::size_t rows, std::int32_t* tokens,
                         std::int32_t* targets) const {
  const Rng rng(seed_, purpose_);
  for (std::size_t r = 0; r < rows; ++r) {
    const std::uint64_t at = rng.below(split_.size() - seq_len_, step, first_row + r);
    const auto begin = split_.begin() + static_cast<std::ptrdiff_t>(at);
    std::copy_n(begin, seq_len_, tokens + r * seq_len_);
    std::copy_n(begin + 1, seq_len_, targets + r * seq_len_);
  }
}

Windows::Windows(const Tokens& split, std::size_t seq_len) : split_(split), seq_len_(seq_len) {}

std::size_t Windows::count() const { return (split_.size() - 1 + seq_len_ - 1) / seq_len_; }

void Windows::fill(std::size_t first, std::size_t count, std::int32_t* tokens, std::int32_t* targets) const {
  const std::size_t pairs = split_.size() - 1;
  for (std::size_t i = 0; i < count * seq_len_; ++i) {
    const std::size_t at = first * seq_len_ + i;
    tokens[i] = at < pairs ? split_[at] : 0;
    targets[i] = at < pairs ? split_[at + 1] : kNoTarget;
  }
}

}  // namespace bitlab
