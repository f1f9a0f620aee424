#include "core/data/lm_dataset.h"

#include <algorithm>

#include "core/base/error.h"

namespace bitlab {

RandomBatches::RandomBatches(TokenSequence split,
                             std::size_t seq_len,
                             std::uint64_t seed,
                             std::string_view purpose)
    : split_(std::move(split)), seq_len_(seq_len), rng_(seed, purpose) {
  if (split_.size() <= seq_len)
    throw Error("batches",
                "a split must have more than seq_len = " + std::to_string(seq_len) +
                    " tokens, but has " + std::to_string(split_.size()),
                "use a longer text or a smaller seq_len");
}

void RandomBatches::fill(std::uint64_t step,
                         std::size_t first,
                         std::size_t count,
                         std::int32_t* tokens,
                         std::int32_t* targets) const {
  for (std::size_t row = first; row < first + count; ++row) {
    const std::size_t begin = rng_.below(split_.size() - seq_len_, step, row);
    tokens = split_.copy(begin, seq_len_, tokens);
    targets = split_.copy(begin + 1, seq_len_, targets);
  }
}

Windows::Windows(TokenSequence split, std::size_t seq_len, std::size_t stride)
    : split_(std::move(split)), seq_len_(seq_len), stride_(stride > 0 ? stride : seq_len) {
  if (split_.size() < 2)
    throw Error("windows",
                "a split must have at least 2 tokens, but has " + std::to_string(split_.size()));
}

void Windows::fill(std::size_t first,
                   std::size_t count,
                   std::int32_t* tokens,
                   std::int32_t* targets) const {
  for (std::size_t window = first; window < first + count; ++window) {
    const std::size_t begin = std::min(window * stride_, split_.size() - 1);
    const std::size_t length = std::min(seq_len_, split_.size() - 1 - begin);
    tokens = std::fill_n(split_.copy(begin, length, tokens), seq_len_ - length, 0);
    std::int32_t* const end =
        std::fill_n(split_.copy(begin + 1, length, targets), seq_len_ - length, -1);
    if (window > 0) std::fill_n(targets, std::min(seq_len_ - stride_, length), -1);
    targets = end;
  }
}

}  // namespace bitlab
