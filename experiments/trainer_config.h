#pragma once
// The settings of training and evaluation.
#include <cstdint>
#include <string>

#include "core/config/fields.h"

namespace bitlab {

struct TrainConfig : Configurable {
  std::int64_t steps = 5000;
  std::int64_t batch_size = 16;  // sequences a micro-batch
  std::int64_t shards = 1;       // parts of a micro-batch; they define the arithmetic
  std::int64_t accumulate = 1;   // micro-batches a step
  std::int64_t log_every = 50;
  std::int64_t checkpoint_every = 1000;
  std::int64_t keep_checkpoints = 1;  // the newest; one is enough to resume
  double diverged_factor = 3;  // a loss above this many times the loss at step 0 ends the run

  void fields(FieldVisitor& v) override;
};

struct EvalConfig : Configurable {
  std::int64_t every = 250;         // steps; step 0 and the last step always
  std::string protocol = "full";    // full: the whole split; random: `batches` random batches
  std::int64_t batches = 200;       // random only
  std::int64_t train_batches = 50;  // random batches of the train split, 0 for none

  void fields(FieldVisitor& v) override;
};

}  // namespace bitlab
