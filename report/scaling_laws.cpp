#include "report/scaling_laws.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "core/base/error.h"
#include "report/arm_comparison.h"
#include "report/sweep_verdict.h"

namespace bitlab {

namespace {

constexpr std::size_t kDraws = 2000;

double mean_loss(const SizePoint& point) { return summarize(point.losses.losses).mean; }

// The finished points of an arm, one a size.
std::vector<SizePoint> points_of(const SweptArm& arm) {
  std::vector<SizePoint> points;
  for (const ArmResult* at : arm.points) {
    SizePoint point{at, {static_cast<double>(at->non_embedding_params), final_losses(*at)}};
    if (point.losses.size <= 0 || point.losses.losses.empty()) continue;
    const auto same = std::find_if(points.begin(), points.end(), [&](const SizePoint& known) {
      return known.losses.size == point.losses.size;
    });
    if (same == points.end())
      points.push_back(std::move(point));
    else if (mean_loss(point) < mean_loss(*same))
      *same = std::move(point);
  }
  std::sort(points.begin(), points.end(), [](const SizePoint& a, const SizePoint& b) {
    return a.losses.size < b.losses.size;
  });
  return points;
}

bool enough(const std::vector<SizePoint>& points) {
  return points.size() >= kLeastSizes &&
         points.back().losses.size >= kLeastSpan * points.front().losses.size;
}

ScalingArm fit(const std::string& name, std::vector<SizePoint> points) {
  std::vector<SizedLosses> losses;
  for (const SizePoint& point : points) losses.push_back(point.losses);
  ScalingArm arm{name, std::move(points), fit_power_law(losses), {}};
  arm.draws = resample_power_law(losses, arm.law, kDraws);
  return arm;
}

// The arm's point of about that size: sub-norms and their like make arms differ a little.
const SizePoint* near(const ScalingArm& arm, double size) {
  constexpr double kNear = 0.2;  // of the logarithm
  const SizePoint* best = nullptr;
  double least = kNear;
  for (const SizePoint& point : arm.points)
    if (const double off = std::fabs(std::log(point.losses.size / size)); off < least) {
      least = off;
      best = &point;
    }
  return best;
}

double parse_size(const std::string& text) {
  std::istringstream in(text);
  double size = 0;
  std::string unit;
  in >> size >> unit;
  const std::string units = "kMBT";
  const std::size_t power = unit.empty() ? 0 : units.find(unit) + 1;
  if (in.bad() || size <= 0 || unit.size() > 1 || (!unit.empty() && power == 0))
    throw UsageError("claim",
                     "the size of a law must be like 'law@3.2e9' or 'law@700M', but got '" + text +
                         "'");
  return size * std::pow(1000, static_cast<double>(power));
}

}  // namespace

double ScalingStudy::largest() const { return baseline.points.back().losses.size; }

std::optional<ScalingStudy> scaling_study(const Results& results) {
  ScalingStudy study;
  for (const SweptArm& arm : swept_arms(results)) {
    std::vector<SizePoint> points = points_of(arm);
    if (!enough(points)) continue;
    ScalingArm fitted = fit(arm.name, std::move(points));
    if (arm.name == results.baseline)
      study.baseline = std::move(fitted);
    else
      study.others.push_back(std::move(fitted));
  }
  if (study.baseline.points.empty() || study.others.empty()) return std::nullopt;
  return study;
}

LawFigure loss_at(const ScalingArm& arm, double size) {
  return {arm.law.at(size), interval_over_draws(arm, [&](std::size_t draw) {
            return arm.draws[draw].at(size);
          })};
}

LawFigure gap_at(const ScalingStudy& study, const ScalingArm& arm, double size) {
  return {arm.law.at(size) - study.baseline.law.at(size),
          interval_over_draws(arm, [&](std::size_t draw) {
            return arm.draws[draw].at(size) - study.baseline.draws[draw].at(size);
          })};
}

std::vector<MeasuredGap> measured_gaps(const ScalingStudy& study, const ScalingArm& arm) {
  std::vector<MeasuredGap> gaps;
  for (const SizePoint& theirs : study.baseline.points) {
    const SizePoint* ours = near(arm, theirs.losses.size);
    if (ours == nullptr) continue;
    const PairedLosses pairs = paired_losses(*theirs.arm, *ours->arm);
    MeasuredGap gap{std::sqrt(theirs.losses.size * ours->losses.size),
                    mean_loss(*ours) - mean_loss(theirs), pairs.seeds.size()};
    if (gap.seeds > 0) gap.gap = paired_difference(pairs.baseline, pairs.other).mean;
    gaps.push_back(gap);
  }
  return gaps;
}

std::optional<LawFigure> gap_trend(const std::vector<MeasuredGap>& gaps) {
  if (gaps.size() < 3) return std::nullopt;
  const auto n = static_cast<double>(gaps.size());
  double x = 0, y = 0, xx = 0, xy = 0, yy = 0;
  for (const MeasuredGap& gap : gaps) {
    x += std::log2(gap.size) / n;
    y += gap.gap / n;
  }
  for (const MeasuredGap& gap : gaps) {
    const double dx = std::log2(gap.size) - x, dy = gap.gap - y;
    xx += dx * dx;
    xy += dx * dy;
    yy += dy * dy;
  }
  const double slope = xy / xx;
  const double error = std::sqrt(std::max(0.0, yy - slope * xy) / (n - 2) / xx);
  const double half = student_t_quantile(0.975, n - 2) * error;
  return LawFigure{slope, {slope - half, slope + half}};
}

std::optional<double> law_size(const std::string& figure) {
  const std::string prefix = "law@";
  if (!figure.starts_with(prefix)) return std::nullopt;
  return parse_size(figure.substr(prefix.size()));
}

}  // namespace bitlab
