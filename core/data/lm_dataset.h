#pragma once
// A text as language-model data: a train and a validation split, batches, evaluation windows.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitlab {

using Tokens = std::vector<std::int32_t>;

// Target of a position that counts nothing.
inline constexpr std::int32_t kNoTarget = -1;

struct LmDataset {
  Tokens train, val;

  // The first floor(n (1 - val_fraction)) tokens train, the rest validate. Throws Error if either split is too
  // short to hold one pair of neighbours.
  static LmDataset split(const Tokens& tokens, double val_fraction);
};

// Row `row` of the batch of step `step`: seq_len tokens from a uniformly random place of the split, and the token
// after each as its target. It depends on (seed, step, row) alone, so neither shards nor a resume shift it, and two
// models of one seed see the same rows. Throws Error if the split is not longer than seq_len.
class RandomBatches {
 public:
  RandomBatches(const Tokens& split, std::size_t seq_len, std::uint64_t seed, const char* purpose);

  void fill(std::uint64_t step, std::size_t first_row, std::size_t rows, std::int32_t* tokens,
            std::int32_t* targets) const;

 private:
  const Tokens& split_;
  std::size_t seq_len_;
  std::uint64_t seed_;
  const char* purpose_;
};

// The whole split once, in windows of seq_len side by side: window i predicts tokens i seq_len + 1 ..
// (i + 1) seq_len, so every token but the first is a target exactly once. The last window is padded: token 0,
// target kNoTarget.
class Windows {
 public:
  Windows(const Tokens& split, std::size_t seq_len);

  std::size_t count() const;
  void fill(std::size_t first, std::size_t count, std::int32_t* tokens, std::int32_t* targets) const;

 private:
  const Tokens& split_;
  std::size_t seq_len_;
};

}  // namespace bitlab
