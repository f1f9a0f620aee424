#pragma once
// A text as tokens in two splits, and the sequences of them that models are trained and judged on.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/rng.h"
#include "core/data/token_sequence.h"

namespace bitlab {

struct LmDataset {
  TokenSequence train, val, test;  // test: empty if the source has none
  // Of the text behind the tokens, for losses in bits per byte.
  std::uint64_t train_bytes = 0, val_bytes = 0, test_bytes = 0;
};

// Sequences from random places of a split. Row r of step s begins at Rng(seed, purpose).below(n -
// seq_len, s, r): it depends on nothing else, so that both arms of a seed see the same batches, and
// neither resuming nor cutting a batch into shards shifts anything.
class RandomBatches {
 public:
  // Throws Error if the split has no more than seq_len tokens.
  RandomBatches(TokenSequence split,
                std::size_t seq_len,
                std::uint64_t seed,
                std::string_view purpose);

  // Rows first .. first + count - 1 of the (accumulated) batch of a step: count * seq_len tokens,
  // and as targets the tokens that follow each of them.
  void fill(std::uint64_t step,
            std::size_t first,
            std::size_t count,
            std::int32_t* tokens,
            std::int32_t* targets) const;

 private:
  TokenSequence split_;
  std::size_t seq_len_;
  Rng rng_;
};

// A split cut into windows of seq_len, each `stride` after the one before: every token but the
// first is a target exactly once. What the last window has too much is padded with token 0 and
// target -1, which no loss counts; so are targets that an earlier window had, where windows
// overlap.
class Windows {
 public:
  // Throws Error if the split has fewer than 2 tokens. stride: 1 .. seq_len; 0: seq_len.
  Windows(TokenSequence split, std::size_t seq_len, std::size_t stride = 0);

  std::size_t count() const {
    const std::size_t in_first = std::min(seq_len_, targets());
    return 1 + (targets() - in_first + stride_ - 1) / stride_;
  }
  std::size_t targets() const { return split_.size() - 1; }
  // Windows first .. first + count - 1, count * seq_len tokens and targets.
  void fill(std::size_t first,
            std::size_t count,
            std::int32_t* tokens,
            std::int32_t* targets) const;

 private:
  TokenSequence split_;
  std::size_t seq_len_, stride_;
};

}  // namespace bitlab
