#pragma once
// How fast whole training steps are, against what this machine's sgemm can do.
#include <cstdint>
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
};

TrainBench bench_train(const Arm& arm, const Dataset& data, const TrainBenchOptions& options);

}  // namespace bitlab
