#include "report/run_metrics.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/error.h"
#include "report/quant_rows.h"

namespace bitlab {

namespace {

const SeedResult* run_of(const ArmResult& arm, std::int64_t seed) {
  const auto found = std::find_if(arm.runs.begin(), arm.runs.end(),
                                  [&](const SeedResult& run) { return run.seed == seed; });
  return found == arm.runs.end() ? nullptr : &*found;
}

const SeedResult* done_run_of(const ArmGroup& arms, std::int64_t seed) {
  const SeedResult* run = run_of(*arms.front(), seed);
  return run != nullptr && run->done() ? run : nullptr;
}

std::optional<double> loss(const ArmGroup& arms, std::int64_t seed) {
  const SeedResult* run = done_run_of(arms, seed);
  return run == nullptr ? std::nullopt : final_val_loss(*run);
}

std::optional<double> accuracy(const ArmGroup& arms, std::int64_t seed) {
  const SeedResult* run = done_run_of(arms, seed);
  return run == nullptr ? std::nullopt : run->accuracy;
}

std::optional<double> f1(const ArmGroup& arms, std::int64_t seed) {
  const SeedResult* run = done_run_of(arms, seed);
  return run == nullptr ? std::nullopt : run->f1;
}

// The worker says so in these words (experiments/worker.cpp).
bool diverged(const SeedResult& run) {
  return run.state == SeedState::Failed && run.reason.starts_with("diverged");
}

// One learning rate of a sweep: its final loss, or none where the run diverged.
struct LrPoint {
  double log_lr = 0;
  std::optional<double> loss;
};

std::vector<LrPoint> lr_points(const ArmGroup& arms, std::int64_t seed) {
  std::vector<LrPoint> points;
  for (const ArmResult* arm : arms) {
    const auto lr = std::find_if(arm->axes.begin(), arm->axes.end(),
                                 [](const SweptValue& axis) { return axis.path == "optim.lr"; });
    const SeedResult* run = run_of(*arm, seed);
    if (lr == arm->axes.end() || !lr->number || *lr->number <= 0 || run == nullptr) continue;
    if (!run->done() && !diverged(*run)) continue;  // not known yet, or failed for another reason
    points.push_back(
        {std::log(*lr->number), run->done() ? final_val_loss(*run) : std::optional<double>()});
  }
  std::sort(points.begin(), points.end(),
            [](const LrPoint& a, const LrPoint& b) { return a.log_lr < b.log_lr; });
  return points;
}

std::optional<std::size_t> lowest(const std::vector<LrPoint>& points) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (points[i].loss && (!best || *points[i].loss < *points[*best].loss)) best = i;
  return best;
}

// Where the parabola through three points has its minimum.
double vertex(const LrPoint& a, const LrPoint& b, const LrPoint& c) {
  const double left = (*b.loss - *a.loss) / (b.log_lr - a.log_lr);
  const double right = (*c.loss - *b.loss) / (c.log_lr - b.log_lr);
  if (right - left <= 0) return b.log_lr;  // all three level
  // The slope is linear: `left` in the middle of a and b, `right` in the middle of b and c.
  const double from = (a.log_lr + b.log_lr) / 2, to = (b.log_lr + c.log_lr) / 2;
  return from + (to - from) * -left / (right - left);
}

std::optional<double> best_lr(const ArmGroup& arms, std::int64_t seed) {
  const std::vector<LrPoint> points = lr_points(arms, seed);
  const auto best = lowest(points);
  if (!best) return std::nullopt;
  const std::size_t i = *best;
  const bool inside = i > 0 && i + 1 < points.size() && points[i - 1].loss && points[i + 1].loss;
  return std::exp(inside ? vertex(points[i - 1], points[i], points[i + 1]) : points[i].log_lr);
}

std::optional<double> highest_lr(const ArmGroup& arms, std::int64_t seed) {
  const std::vector<LrPoint> points = lr_points(arms, seed);
  const auto best = lowest(points);
  if (!best) return std::nullopt;
  const double limit = *points[*best].loss + kTrainsWithin;
  for (std::size_t i = *best; i + 1 < points.size(); ++i) {
    const LrPoint &here = points[i], &next = points[i + 1];
    if (!next.loss) return std::exp(here.log_lr);
    if (*next.loss <= limit) continue;
    const double share = (limit - *here.loss) / (*next.loss - *here.loss);
    return std::exp(std::lerp(here.log_lr, next.log_lr, share));
  }
  return std::exp(points.back().log_lr);
}

std::vector<EvalRow> val_rows(const SeedResult& run) {
  std::vector<EvalRow> rows;
  for (const EvalRow& row : run.eval)
    if (row.split == "val" && std::isfinite(row.loss)) rows.push_back(row);
  return rows;
}

std::optional<double> drop(const ArmGroup& arms, std::int64_t seed) {
  const SeedResult* run = done_run_of(arms, seed);
  if (run == nullptr) return std::nullopt;
  const double half = static_cast<double>(run->steps) / 2;
  const EvalRow *before = nullptr, *after = nullptr;
  const std::vector<EvalRow> rows = val_rows(*run);
  for (const EvalRow& row : rows) {
    const auto step = static_cast<double>(row.step);
    if (step <= half) before = &row;
    if (after == nullptr && step >= half + 0.02 * static_cast<double>(run->steps)) after = &row;
  }
  if (before == nullptr || after == nullptr) return std::nullopt;
  return before->loss - after->loss;
}

// Least-squares slope of the losses between two fractions of the steps; empty with fewer than two
// evaluations there.
std::optional<double> slope(const SeedResult& run, double from, double to) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (const EvalRow& row : val_rows(run)) {
    const double at = static_cast<double>(row.step) / static_cast<double>(run.steps);
    if (at < from || at > to) continue;
    n += 1;
    x += at;
    y += row.loss;
    xx += at * at;
    xy += at * row.loss;
  }
  const double spread = n * xx - x * x;
  if (n < 2 || spread <= 0) return std::nullopt;
  return (n * xy - x * y) / spread;
}

std::optional<double> slope_ratio(const ArmGroup& arms, std::int64_t seed) {
  const SeedResult* run = done_run_of(arms, seed);
  if (run == nullptr) return std::nullopt;
  const auto end = slope(*run, 0.95, 1), middle = slope(*run, 0.25, 0.75);
  if (!end || !middle || *middle == 0) return std::nullopt;
  return *end / *middle;
}

std::optional<double> flips(const ArmGroup& arms, std::int64_t seed) {
  const SeedResult* run = done_run_of(arms, seed);
  if (run == nullptr) return std::nullopt;
  std::map<std::string, double> by_layer;
  for (const QuantRow& row : load_quant(*run)) by_layer[row.layer] += row.flips;
  if (by_layer.empty()) return std::nullopt;
  double sum = 0;
  for (const auto& [layer, changes] : by_layer) sum += changes;
  return sum / static_cast<double>(by_layer.size());
}

}  // namespace

const std::vector<RunMetric>& run_metrics() {
  static const std::vector<RunMetric> all = {
      {"loss", "nats", false, false, loss, "final validation loss"},
      {"accuracy", "", false, false, accuracy, "share of the test texts classified right"},
      {"f1", "", false, false, f1, "F1 of the test texts, weighted by labels"},
      {"best_lr", "", true, true, best_lr, "learning rate with the lowest final loss"},
      {"highest_lr", "", true, true, highest_lr, "highest learning rate that still trains"},
      {"drop", "nats", false, false, drop, "fall of the validation loss over half time"},
      {"slope_ratio", "", false, false, slope_ratio,
       "slope of the loss at the end by that in the middle"},
      {"flips", "", false, false, flips, "changes of ternary codes per weight"},
  };
  return all;
}

const RunMetric& run_metric(const std::string& name) {
  std::string known;
  for (const RunMetric& metric : run_metrics()) {
    if (metric.name == name) return metric;
    known += (known.empty() ? "" : ", ") + metric.name;
  }
  throw UsageError("claim", "the figure must be one of " + known + ", but got '" + name + "'");
}

}  // namespace bitlab
