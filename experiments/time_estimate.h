#pragma once
// How long the runs of a plan will take.
#include <functional>
#include <string>
#include <vector>

#include "experiments/core_share.h"
#include "experiments/outlook.h"
#include "experiments/plan.h"

namespace bitlab {

struct TimeEstimate {
  std::vector<double> seconds;  // of each outlook, 0 for what is not run
  double total = 0;             // until the last one ends, as many at once as cores are shared by
  // What it is based on: "finished runs of babyGPT", "kernels timed at the sizes of babyBitNet".
  std::vector<std::string> sources;
};

using StepMeasure =
    std::function<double(const Spec& spec, const DataFacts& data, std::size_t threads)>;

// From finished runs of the same arm of the file in the results folder, by their FLOPs, evaluations
// included, and by the rounds that their threads made of shards; runs whose attempts had different
// threads say nothing. For arms without any: from the
// seconds of a training step, which `measure` gives for a spec, the facts of its data and a number
// of threads (step_time.h: measured_step_seconds, a second or so).
TimeEstimate estimate_time(const Experiment& experiment,
                           const Plan& plan,
                           const std::vector<Outlook>& outlooks,
                           const CoreShare& share,
                           const StepMeasure& measure);

// FLOPs of a run from `first_step` on: 6 per multiply-add of training, 2 of evaluations and of a
// teacher.
double run_flops(const Spec& spec,
                 double flops_per_token,
                 const DataFacts& data,
                 std::int64_t first_step);

}  // namespace bitlab
