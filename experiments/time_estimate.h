#pragma once
// How long the runs of a plan will take.
#include <string>
#include <vector>

#include "experiments/outlook.h"
#include "experiments/plan.h"

namespace bitlab {

struct TimeEstimate {
  std::vector<double> seconds;  // of each outlook, 0 for what is not run
  double total = 0;             // until the last one ends, `slots` at once
  // What it is based on: "finished runs of babyGPT", "FLOPs at 43 GFLOP/s (85 % of a short sgemm)".
  std::vector<std::string> sources;
};

// From finished runs of the same arm of the file in the results folder, by their FLOPs, evaluations
// included. For arms without any: FLOPs at the speed of a matrix product that is measured now,
// which takes a fraction of a second. `measure` gives that speed in GFLOP/s.
TimeEstimate estimate_time(const Experiment& experiment,
                           const Plan& plan,
                           const std::vector<Outlook>& outlooks,
                           std::size_t slots,
                           double (*measure)());

// FLOPs of a run from `first_step` on: 6 per multiply-add of training, 2 of evaluations.
double run_flops(const Spec& spec,
                 double flops_per_token,
                 const DataFacts& data,
                 std::int64_t first_step);

// A short measurement of what estimate_time() asks for.
double short_sgemm_gflops();

}  // namespace bitlab
