#pragma once
// How long texts are that go through a model without padding.
#include <cstddef>
#include <cstdint>

#include "experiments/trainer_config.h"

namespace bitlab {

// In tokens, of those to train on. A mean of 0: all sequences have the model's length.
struct TextLengths {
  double mean = 0, sd = 0;

  // Of one sequence on average; `seq_len` is the model's.
  double of_sequence(std::size_t seq_len) const;

  // Of one sequence on average in the largest of all passes of a run: the median of the maximum if
  // the sums of lengths, of batch_size / shards texts each, are normal.
  double in_largest_pass(const TrainConfig& train, std::size_t seq_len) const;
};

}  // namespace bitlab
