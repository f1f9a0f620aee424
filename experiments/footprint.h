#pragma once
// What training a model takes, known before the first step.
#include <cstddef>

#include "experiments/trainer_config.h"
#include "layers/models/model.h"

namespace bitlab {

struct Footprint {
  std::size_t params = 0, ternary_params = 0;
  std::size_t bytes_full = 0;    // all parameters as floats
  std::size_t bytes_packed = 0;  // ternary ones in 2 bits, the others as floats
  double tokens_per_step = 0;
  double tokens = 0;               // of the whole run
  double train_flops = 0;          // of all steps, without evaluations
  std::size_t training_bytes = 0;  // weights, gradients, optimiser and activations, estimated
};

// Runs one sequence forward to see what activations take.
Footprint footprint(const LanguageModel& model, const TrainConfig& train);

}  // namespace bitlab
