#pragma once
// Experiments that train the same arms at several sizes: each arm's law of scaling, the gap between
// the laws, and what both say of sizes that were not trained.
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "report/power_law.h"
#include "report/results.h"
#include "report/statistics.h"

namespace bitlab {

// The runs of an arm at one size that are done.
struct SizePoint {
  const ArmResult* arm = nullptr;
  SizedLosses losses;  // final validation losses, by parameters outside of the embedding
};

struct ScalingArm {
  std::string name;               // the arm of the file
  std::vector<SizePoint> points;  // by size, ascending
  PowerLaw law;
  std::vector<PowerLaw> draws;  // of the bootstrap; paired with those of other arms
};

struct ScalingStudy {
  ScalingArm baseline;
  std::vector<ScalingArm> others;  // in the order of the plan

  double largest() const;  // of the baseline's sizes
};

// Nothing unless the baseline and another arm are done at kLeastSizes sizes that span a factor of
// kLeastSpan. Where an arm has several points of one size, as in a sweep of learning rates, its
// best mean counts. Arms with too few sizes are left out. The study points into `results`.
constexpr double kLeastSpan = 4;
std::optional<ScalingStudy> scaling_study(const Results& results);
std::optional<ScalingStudy> scaling_study(Results&&) = delete;

// A figure of the laws with the 95 % interval of the bootstrap (percentiles).
struct LawFigure {
  double value = 0;
  Interval interval;
};

// The interval of what `of` gives for each draw, by its number: all arms of a study have as many.
template <class Of>
Interval interval_over_draws(const ScalingArm& arm, const Of& of) {
  std::vector<double> drawn;
  for (std::size_t draw = 0; draw < arm.draws.size(); ++draw) drawn.push_back(of(draw));
  return percentile_interval(std::move(drawn));
}

LawFigure loss_at(const ScalingArm& arm, double size);  // nats a token
// How much higher `arm` ends than the baseline, nats a token.
LawFigure gap_at(const ScalingStudy& study, const ScalingArm& arm, double size);

// Measured gaps at the sizes that both arms have, place by place: paired by seed where seeds are
// common, else of the means.
struct MeasuredGap {
  double size = 0;  // geometric mean of both arms' parameters
  double gap = 0;
  std::size_t seeds = 0;  // pairs; 0: of means
};
std::vector<MeasuredGap> measured_gaps(const ScalingStudy& study, const ScalingArm& arm);

// What a doubling of the size changes in the measured gap: the least-squares slope over log2 of the
// size with its 95 % t interval, each size counting once. Nothing with fewer than 3 gaps.
std::optional<LawFigure> gap_trend(const std::vector<MeasuredGap>& gaps);

// The N of a claim's figure "law@N", as in "law@3.2e9" or "law@700M"; nothing for other figures.
// Throws UsageError for a size that is none.
std::optional<double> law_size(const std::string& figure);

}  // namespace bitlab
