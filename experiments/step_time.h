#pragma once
// How long a training step takes here, without doing one.
#include <cstddef>
#include <functional>
#include <vector>

#include "experiments/footprint.h"
#include "experiments/plan.h"

namespace bitlab {

// Seconds of one step, by what they go into.
struct StepTime {
  double products = 0;       // matrix products, float and ternary, of forward and backward
  double attention = 0;      // softmax attention
  double rows = 0;           // all other kernels: norms, activations, quantisers, losses, sums
  double layers = 0;         // of forward and backward beside kernels
  double update = 0;         // clearing and adding gradients, optimiser, preparing ternary weights
  double product_flops = 0;  // that are computed, so with recomputed blocks counted again

  double total() const { return products + attention + rows + layers + update; }
};

using CallTimer = std::function<double(const simd::KernelCall& call)>;

// A rehearsal tells the kernel calls of a step, and `time` what each takes: for steps of this
// machine simd::call_seconds, which makes each call that is new to it (remember()). `kinds`: what
// footprint() made; the step is the mean one.
StepTime step_time(const Spec& spec,
                   const Footprint& size,
                   const std::vector<StepKind>& kinds,
                   std::size_t threads,
                   const CallTimer& time);

// Seconds that a teacher as large as the model takes for the texts of a step; 0 without one.
double teacher_seconds(const Spec& spec,
                       std::size_t vocab_size,
                       const TextLengths& lengths,
                       std::size_t threads,
                       const CallTimer& time);

// The same timer, which asks once for each kind of call.
CallTimer remember(CallTimer time);

// Seconds of a step, measured kernel by kernel. The estimate of `run -n`.
double measured_step_seconds(const Spec& spec, const DataFacts& data, std::size_t threads);

}  // namespace bitlab
