#pragma once
// Figures that a run, or all runs of an arm and seed over a sweep, are judged by beside their loss.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/results.h"

namespace bitlab {

// The runs that one figure is taken of: those of an arm, or of all sweep points of an arm of the
// file.
using ArmGroup = std::vector<const ArmResult*>;

struct RunMetric {
  std::string name;          // as claims write it
  std::string unit;          // empty: a plain number
  bool ratio = false;        // compared by ratio: differences are taken of logarithms
  bool whole_sweep = false;  // takes all points of a sweep; else exactly one arm
  // Of one seed; empty if its runs cannot tell.
  std::optional<double> (*of)(const ArmGroup& arms, std::int64_t seed);
  std::string meaning;  // one line
};

// loss         the final validation loss
// accuracy     share of the test texts classified right at the last step
// f1           F1 of that, weighted by labels
// best_lr      the learning rate with the lowest final loss: the minimum of the parabola through
//              the lowest point and its neighbours, over log lr
// highest_lr   the highest learning rate that still trains: where, above best_lr, the final loss is
//              kTrainsWithin above the lowest; by interpolation over log lr, or the last point
//              before a run that diverged
// drop         how far the validation loss falls over half time: the last evaluation up to it
//              minus the first at least 2 % of the steps after it
// slope_ratio  slope of the validation loss over the last 5 % of the steps by that over the middle
//              half, both by least squares (what an S-shaped curve makes large)
// flips        changes of ternary codes per weight over the whole run, mean over matrices
const std::vector<RunMetric>& run_metrics();

constexpr double kTrainsWithin = 0.1;  // nats a token: 10 % in perplexity

// Throws UsageError with what there is.
const RunMetric& run_metric(const std::string& name);

}  // namespace bitlab
