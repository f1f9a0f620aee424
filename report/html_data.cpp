#include "report/html_data.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "report/curves.h"
#include "report/html_text.h"
#include "report/sweep_axes.h"

namespace bitlab {

using nlohmann::ordered_json;

namespace {

constexpr std::size_t kMaxColumns = 1000;  // of an envelope: more than a page has pixels for
constexpr std::size_t kMinColumns = 16;
constexpr std::size_t kClockRows = 64;

// What can stand on the y axis.
struct Metric {
  const char* key;
  double unit;
  bool logarithmic;  // rounded in its logarithm
};
enum MetricIndex : std::size_t { kVal, kTrain, kGradNorm, kAccuracy, kMetricCount };
constexpr std::array<Metric, kMetricCount> kMetrics = {{{"val", 1e-4, false},
                                                        {"train", 1e-3, false},
                                                        {"grad_norm", 0.01, true},
                                                        {"accuracy", 1e-4, false}}};

std::vector<RunPoint> points_of(const SeedResult& run, std::size_t metric) {
  std::vector<RunPoint> points;
  const auto add = [&](std::int64_t step, double y) {
    points.push_back({static_cast<double>(step), y});
  };
  if (metric == kVal)
    for (const EvalRow& row : run.eval)
      if (row.split == "val") add(row.step, row.loss);
  if (metric == kAccuracy)
    for (const ScoreRow& row : run.scores)
      if (row.split == "val") add(row.step, row.accuracy);
  if (metric == kTrain || metric == kGradNorm)
    for (const TrainRow& row : run.train)
      add(row.step, metric == kTrain ? row.loss : row.grad_norm);
  return points;
}

// The curves of one arm: of each run, and over the runs that count.
struct ArmPoints {
  std::vector<std::array<std::vector<CurvePoint>, kMetrics.size()>> runs;
  std::array<std::vector<CurvePoint>, kMetrics.size()> mean;  // empty where one run is all
};

// As in the printed curves: the runs that are done, or all if none is.
bool counts(const ArmResult& arm, const SeedResult& run) { return arm.done() == 0 || run.done(); }

ArmPoints collect(const ArmResult& arm) {
  ArmPoints points;
  points.runs.resize(arm.runs.size());
  for (std::size_t m = 0; m < kMetrics.size(); ++m) {
    std::vector<std::vector<RunPoint>> counted;
    for (std::size_t r = 0; r < arm.runs.size(); ++r) {
      const std::vector<RunPoint> run = points_of(arm.runs[r], m);
      points.runs[r][m] = mean_curve({run});
      if (counts(arm, arm.runs[r]) && !run.empty()) counted.push_back(run);
    }
    if (counted.size() > 1) points.mean[m] = mean_curve(counted);
  }
  return points;
}

ordered_json encode_column(const std::vector<double>& values, double unit) {
  ordered_json column = ordered_json::array();
  std::int64_t before = 0;
  for (const double value : values) {
    if (!(std::abs(value / unit) < 1e15)) {  // NaN too
      column.push_back(nullptr);
      continue;
    }
    const std::int64_t now = std::llround(value / unit);
    column.push_back(now - before);
    before = now;
  }
  return column;
}

// Turns curves into JSON; columns of steps that many curves share are written once.
class Writer {
 public:
  explicit Writer(std::size_t columns) : columns_(columns) {}

  ordered_json curve(const std::vector<CurvePoint>& all, const Metric& metric, bool band) {
    const std::vector<CurvePoint> points = envelope(all, columns_);
    reduced_ |= points.size() < all.size();
    std::vector<double> steps, mean, low, high;
    for (const CurvePoint& p : points) {
      steps.push_back(p.x);
      mean.push_back(rounded(p.mean, metric));
      low.push_back(rounded(p.low, metric));
      high.push_back(rounded(p.high, metric));
    }
    ordered_json json = {{"x", grid(steps)}, {"y", encode_column(mean, metric.unit)}};
    if (band) {
      json["low"] = encode_column(low, metric.unit);
      json["high"] = encode_column(high, metric.unit);
    }
    return json;
  }

  std::size_t grid(const std::vector<double>& steps) {
    const auto [found, is_new] = indices_.try_emplace(steps, grids_.size());
    if (is_new) grids_.push_back(encode_column(steps, 1));
    return found->second;
  }

  const ordered_json& grids() const { return grids_; }
  bool reduced() const { return reduced_; }

 private:
  static double rounded(double value, const Metric& metric) {
    return metric.logarithmic ? std::log(value) : value;  // of zero: a gap
  }

  std::size_t columns_;
  bool reduced_ = false;
  std::map<std::vector<double>, std::size_t> indices_;
  ordered_json grids_ = ordered_json::array();
};

// Seconds of training at some steps, the last among them; the script interpolates.
ordered_json clock_of(const SeedResult& run, Writer& writer) {
  std::vector<double> steps, seconds;
  const std::size_t stride = run.train.size() / kClockRows + 1;
  for (std::size_t i = 0; i < run.train.size(); ++i) {
    if (i % stride != 0 && i + 1 != run.train.size()) continue;
    steps.push_back(static_cast<double>(run.train[i].step));
    seconds.push_back(run.train[i].seconds);
  }
  return {{"x", writer.grid(steps)}, {"y", encode_column(seconds, 0.01)}};
}

ordered_json arm_json(const ArmResult& arm, const ArmPoints& points, Writer& writer) {
  ordered_json json = {{"name", arm.name},
                       {"base", base_of(arm)},
                       {"tokens", arm.tokens_per_step},
                       {"flops", arm.flops_per_token}};
  for (std::size_t m = 0; m < kMetrics.size(); ++m)
    if (!points.mean[m].empty())
      json["mean"][kMetrics[m].key] = writer.curve(points.mean[m], kMetrics[m], true);
  json["runs"] = ordered_json::array();
  for (std::size_t r = 0; r < arm.runs.size(); ++r) {
    const SeedResult& run = arm.runs[r];
    ordered_json entry = {{"seed", run.seed},
                          {"state", to_string(run.state)},
                          {"counts", counts(arm, run)},
                          {"clock", clock_of(run, writer)}};
    for (std::size_t m = 0; m < kMetrics.size(); ++m)
      if (!points.runs[r][m].empty())
        entry[kMetrics[m].key] = writer.curve(points.runs[r][m], kMetrics[m], false);
    json["runs"].push_back(std::move(entry));
  }
  return json;
}

std::string data_json(const Results& results,
                      const std::vector<ArmPoints>& points,
                      std::size_t columns) {
  Writer writer(columns);
  ordered_json arms = ordered_json::array();
  for (std::size_t i = 0; i < results.arms.size(); ++i)
    arms.push_back(arm_json(results.arms[i], points[i], writer));
  ordered_json json = {{"unit", results.data.unit}, {"steps", results.steps}};
  for (const Metric& metric : kMetrics)
    json["metrics"][metric.key] = {{"unit", metric.unit}, {"log", metric.logarithmic}};
  json["columns"] = writer.reduced() ? ordered_json(columns) : ordered_json(nullptr);
  json["references"] = ordered_json::array();
  for (const ReferenceLine& line : results.references)
    json["references"].push_back({{"name", line.name}, {"loss", line.loss}});
  json["grids"] = writer.grids();
  json["arms"] = std::move(arms);
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::size_t longest_curve(const std::vector<ArmPoints>& arms) {
  std::size_t longest = 0;
  for (const ArmPoints& arm : arms)
    for (std::size_t m = 0; m < kMetrics.size(); ++m) {
      longest = std::max(longest, arm.mean[m].size());
      for (const auto& run : arm.runs) longest = std::max(longest, run[m].size());
    }
  return longest;
}

}  // namespace

std::string page_data(const Results& results, std::size_t budget) {
  std::vector<ArmPoints> points;
  for (const ArmResult& arm : results.arms) points.push_back(collect(arm));
  std::size_t columns = std::min(kMaxColumns, std::max(kMinColumns, longest_curve(points) / 2 + 1));
  for (;;) {
    const std::string json = data_json(results, points, columns);
    const std::size_t size = packed_data(json).size();
    if (size <= budget || columns == kMinColumns) return json;
    const double smaller = 0.95 * static_cast<double>(columns * budget) / static_cast<double>(size);
    columns = std::max(kMinColumns, static_cast<std::size_t>(smaller));
  }
}

std::string packed_data(const std::string& json) {
  uLongf size = ::compressBound(json.size());
  std::string packed(size, '\0');
  if (::compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                  reinterpret_cast<const Bytef*>(json.data()), json.size(), 9) != Z_OK)
    throw Error("report page", "data must be compressed, but zlib could not");
  packed.resize(size);
  return base64(packed);
}

}  // namespace bitlab
