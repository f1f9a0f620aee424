#pragma once
// How fast whole training steps are, against what this machine's sgemm can do.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/simd/profile.h"
#include "experiments/dataset.h"
#include "experiments/plan.h"

namespace bitlab {

struct TrainBenchOptions {
  std::int64_t steps = 30;  // timed, after a few that are not
  std::size_t threads = 1;
  bool profile = false;  // time every kernel as well; one thread only
  bool plan = false;     // say what a plan would have said
};

// What a plan says (footprint.h, step_time.h), against what was measured in the same process.
struct PlanCheck {
  double planned_ms = 0;  // of a step, the mean of plans made before the steps and after them
  double cpu_ms = 0;      // of a step: the processor's time, by thread, median
  std::size_t planned_bytes = 0;  // held at the peak: what was there before, and the training
};

struct TrainBench {
  std::string arm;
  std::size_t threads = 1;
  double ms_per_step = 0;  // median: batch, forward, backward, optimiser
  double tokens_per_s = 0;
  double gflops =
      0;  // 6 per multiply-add of a forward pass; attention counted without the causal saving
  double sgemm_gflops = 0;  // one core, 1024 cubed, best, in this process around the steps
  double utilisation = 0;   // gflops / sgemm_gflops / threads
  std::int64_t peak_rss_bytes = 0;
  double first_step_seconds = 0;          // building the model and the first step
  std::vector<simd::KernelTime> kernels;  // per timed run, with `profile`
  double profiled_seconds = 0;            // of the steps that `kernels` covers
  std::optional<PlanCheck> plan;          // with `plan`
};

// A teacher is asked in each step, as in the first epoch. One that is an arm's run is stood in for
// by a model as this arm's with random weights.
TrainBench bench_train(const Arm& arm, const Dataset& data, const TrainBenchOptions& options);

}  // namespace bitlab
