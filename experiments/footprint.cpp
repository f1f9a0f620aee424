#include "experiments/footprint.h"

#include <cstdint>
#include <vector>

#include "experiments/train_step.h"

namespace bitlab {

namespace {

// Bytes that a forward pass of one sequence keeps for its backward.
std::size_t activation_bytes(const LanguageModel& model) {
  const std::vector<std::int32_t> tokens(model.seq_len(), 0);
  Pass pass;
  pass.batch = 1;
  pass.seq_len = model.seq_len();
  pass.tokens = tokens.data();
  pass.training = true;
  model.logits(pass);
  const Arena::Mark end = pass.arena.mark();
  // Beyond its first block an arena is not quite full; backward passes need the rest and more.
  return end.block == 0 ? end.used : pass.arena.capacity();
}

}  // namespace

Footprint footprint(const LanguageModel& model, const TrainConfig& train) {
  Footprint f;
  f.params = model.params().size();
  f.ternary_params = model.params().ternary_size();
  f.bytes_full = 4 * f.params;
  f.bytes_packed = 4 * (f.params - f.ternary_params) + (f.ternary_params + 3) / 4;
  f.tokens_per_step = static_cast<double>(train.batch_size * train.accumulate) *
                      static_cast<double>(model.seq_len());
  f.tokens = f.tokens_per_step * static_cast<double>(train.steps);
  f.train_flops = f.tokens * model.train_flops_per_token();
  const std::size_t copies =
      3 + gradient_buffers(train);  // weights, two moments of AdamW, gradients
  f.training_bytes = sizeof(real) * copies * f.params +
                     static_cast<std::size_t>(train.batch_size) * activation_bytes(model);
  return f;
}

}  // namespace bitlab
