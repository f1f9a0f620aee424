#include "report/curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace bitlab {

namespace {

std::vector<StepLoss> eval_curve(const SeedResult& run, const std::string& split) {
  std::vector<StepLoss> curve;
  for (const EvalRow& row : run.eval)
    if (row.split == split) curve.push_back({static_cast<double>(row.step), row.loss});
  return curve;
}

// The training steps' own losses, averaged over the steps from one evaluation to the next; as they
// are if nothing was evaluated.
std::vector<StepLoss> logged_curve(const SeedResult& run) {
  std::vector<StepLoss> curve;
  auto evaluation = run.eval.begin();
  double sum = 0, steps = 0;
  std::int64_t before = 0;
  for (const TrainRow& row : run.train) {
    const auto length = static_cast<double>(row.step - before);
    before = row.step;
    sum += length * row.loss;
    steps += length;
    while (evaluation != run.eval.end() && evaluation->step < row.step) ++evaluation;
    const bool closes =
        run.eval.empty() || (evaluation != run.eval.end() && evaluation->step == row.step);
    if (!closes || steps <= 0) continue;
    curve.push_back({static_cast<double>(row.step), sum / steps});
    sum = steps = 0;
  }
  return curve;
}

std::string label_of(const ArmResult& arm) {
  if (arm.done() == arm.runs.size()) return arm.name;
  if (arm.done() == 0) return arm.name + " (unfinished)";
  return fmt::format("{} ({} of {} seeds)", arm.name, arm.done(), arm.runs.size());
}

}  // namespace

std::vector<CurvePoint> mean_curve(const std::vector<std::vector<StepLoss>>& runs) {
  std::map<double, std::vector<double>> losses;
  for (const std::vector<StepLoss>& run : runs)
    for (const StepLoss& point : run)
      if (std::isfinite(point.loss)) losses[point.step].push_back(point.loss);
  std::vector<CurvePoint> curve;
  for (const auto& [step, values] : losses) {
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    double sum = 0;
    for (const double x : values) sum += x;
    curve.push_back({step, sum / static_cast<double>(values.size()), *low, *high});
  }
  return curve;
}

std::vector<CurvePoint> envelope(const std::vector<CurvePoint>& curve, std::size_t columns) {
  if (curve.size() <= 2 * columns) return curve;
  const double first = curve.front().step;
  const double per_step = static_cast<double>(columns) / (curve.back().step - first);
  const auto column_of = [&](const CurvePoint& point) {
    return std::min(columns - 1, static_cast<std::size_t>((point.step - first) * per_step));
  };
  const auto lower_mean = [](const CurvePoint& a, const CurvePoint& b) { return a.mean < b.mean; };
  std::vector<CurvePoint> out;
  for (auto begin = curve.begin(); begin != curve.end();) {
    const auto end = std::find_if(begin, curve.end(), [&](const CurvePoint& point) {
      return column_of(point) != column_of(*begin);
    });
    auto [a, b] = std::minmax_element(begin, end, lower_mean);
    if (b < a) std::swap(a, b);
    CurvePoint left = *a, right = *b;
    for (auto point = begin; point != end; ++point) {
      left.low = std::min(left.low, point->low);
      left.high = std::max(left.high, point->high);
    }
    right.low = left.low;
    right.high = left.high;
    out.push_back(left);
    if (a != b) out.push_back(right);
    begin = end;
  }
  return out;
}

std::vector<CurvePoint> clip_band(const std::vector<CurvePoint>& curve, double top) {
  std::vector<CurvePoint> out;
  for (std::size_t i = 0; i < curve.size(); ++i) {
    if (i > 0) {
      const CurvePoint &a = curve[i - 1], &b = curve[i];
      std::vector<double> crossings;  // as fractions of the way from a to b
      for (const auto edge : {&CurvePoint::low, &CurvePoint::high})
        if ((a.*edge > top) != (b.*edge > top))
          crossings.push_back((top - a.*edge) / (b.*edge - a.*edge));
      std::sort(crossings.begin(), crossings.end());
      for (const double t : crossings)
        out.push_back({std::lerp(a.step, b.step, t), std::lerp(a.mean, b.mean, t),
                       std::lerp(a.low, b.low, t), std::lerp(a.high, b.high, t)});
    }
    out.push_back(curve[i]);
  }
  for (CurvePoint& point : out) {
    point.low = std::min(point.low, top);
    point.high = std::min(point.high, top);
  }
  return out;
}

ArmCurves arm_curves(const ArmResult& arm) {
  ArmCurves curves;
  curves.name = arm.name;
  curves.label = label_of(arm);
  std::vector<std::vector<StepLoss>> val, train, logged;
  for (const SeedResult& run : arm.runs) {
    if (arm.done() > 0 ? !run.done() : run.eval.empty() && run.train.empty()) continue;
    ++curves.runs;
    val.push_back(eval_curve(run, "val"));
    train.push_back(eval_curve(run, "train"));
    logged.push_back(logged_curve(run));
  }
  curves.val = mean_curve(val);
  curves.train = mean_curve(train);
  if (curves.train.empty()) {
    curves.train = mean_curve(logged);
    curves.train_as_logged = !curves.train.empty();
  }
  return curves;
}

}  // namespace bitlab
