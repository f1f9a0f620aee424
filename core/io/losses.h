#pragma once
// The losses that a run is judged by, from its metrics.
#include <cstdint>
#include <numbers>
#include <optional>
#include <vector>

#include "core/io/metrics.h"

namespace bitlab {

// In nats a token; empty where nothing finite was measured.
std::optional<double> final_val_loss(const std::vector<EvalRow>& eval);  // at the last evaluation
// The lowest from a step on: of one before which quantisation fades in, as those are losses of
// another model. The last one if there is none later.
std::optional<double> best_val_loss(const std::vector<EvalRow>& eval, std::int64_t from_step = 0);
// At the last evaluation of the training split; without any, the mean over the logged steps of the
// last tenth of the run (then with dropout, and of weights that still changed).
std::optional<double> final_train_loss(const std::vector<TrainRow>& train,
                                       const std::vector<EvalRow>& eval);

// The loss of a split in bits per byte of its text, from one in nats a token: comparable across
// tokenizers.
inline double bits_per_byte(double loss, double tokens, double bytes) {
  return loss * tokens / bytes / std::numbers::ln2;
}

}  // namespace bitlab
