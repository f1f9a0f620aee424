#include "report/sweep_verdict.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/arm_comparison.h"
#include "report/format.h"
#include "report/sweep_axes.h"

namespace bitlab {

namespace {

double mean_loss(const ArmResult& arm) { return summarize(final_losses(arm)).mean; }

// The point with the lowest mean loss among those with the most seeds done: one lucky seed of a
// point whose other seeds diverged must not win.
const ArmResult* best_point(const SweptArm& arm) {
  const ArmResult* best = nullptr;
  for (const ArmResult* point : arm.points) {
    if (point->done() == 0) continue;
    if (best == nullptr || point->done() > best->done() ||
        (point->done() == best->done() && mean_loss(*point) < mean_loss(*best)))
      best = point;
  }
  return best;
}

std::string best_line(const Results& results, const SweptArm& arm, const ArmResult& best) {
  const Summary loss = summarize(final_losses(best));
  return fmt::format("{} is best of its {} points at {}{} {} ({})", best.name, arm.points.size(),
                     format_fixed(loss.mean, 4), loss.sd ? " ± " + format_fixed(*loss.sd, 4) : "",
                     loss_unit(results), counted(loss.n, "seed"));
}

// At how many of the points that both arms have one ends lower, beyond chance.
std::string points_line(const SweptArm& baseline, const SweptArm& other) {
  std::size_t both = 0, lower = 0, higher = 0;
  for (const ArmResult* a : baseline.points)
    for (const ArmResult* b : other.points) {
      if (!same_point(*a, *b)) continue;
      const PairedLosses pairs = paired_losses(*a, *b);
      if (pairs.seeds.size() < 2) continue;
      const Interval interval = *paired_difference(pairs.baseline, pairs.other).interval;
      ++both;
      lower += interval.high < 0;
      higher += interval.low > 0;
    }
  if (both == 0) return "";
  return fmt::format(
      "At equal settings {} ends lower than {} at {} of {} and higher at {}; at the other {} "
      "the 95 % interval contains 0.\n",
      other.name, baseline.name, lower, counted(both, "point"), higher, both - lower - higher);
}

}  // namespace

bool is_sweep(const Results& results) {
  return std::any_of(results.arms.begin(), results.arms.end(),
                     [](const ArmResult& arm) { return !arm.axes.empty(); });
}

std::vector<SweptArm> swept_arms(const Results& results) {
  std::vector<SweptArm> arms;
  for (const ArmResult& arm : results.arms) {
    const std::string name = base_of(arm);
    auto found = std::find_if(arms.begin(), arms.end(),
                              [&](const SweptArm& other) { return other.name == name; });
    if (found == arms.end()) found = arms.insert(arms.end(), {name, {}});
    found->points.push_back(&arm);
  }
  return arms;
}

std::string sweep_verdict(const Results& results) {
  const std::vector<SweptArm> arms = swept_arms(results);
  auto baseline = std::find_if(arms.begin(), arms.end(),
                               [&](const SweptArm& arm) { return arm.name == results.baseline; });
  if (baseline == arms.end()) baseline = arms.begin();
  std::string text, compared;
  const ArmResult* reference = best_point(*baseline);
  for (const SweptArm& arm : arms) {
    const ArmResult* best = best_point(arm);
    if (best == nullptr) {
      text += fmt::format("No run of {} is done yet.\n", arm.name);
      continue;
    }
    text += best_line(results, arm, *best) + ".\n";
    if (arm.name == baseline->name || reference == nullptr) continue;
    compared += "Best against best: " + compare_arms(results, *reference, *best) + "\n";
    compared += points_line(*baseline, arm);
  }
  return text + compared +
         "Best points are chosen by the losses that are then compared, which flatters them a "
         "little.\n";
}

}  // namespace bitlab
