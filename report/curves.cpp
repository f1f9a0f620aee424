#include "report/curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/error.h"
#include "report/statistics.h"
#include "report/sweep_axes.h"

namespace bitlab {

namespace {

std::vector<RunPoint> eval_curve(const SeedResult& run, const std::string& split) {
  std::vector<RunPoint> curve;
  for (const EvalRow& row : run.eval)
    if (row.split == split) curve.push_back({static_cast<double>(row.step), row.loss});
  return curve;
}

std::vector<RunPoint> score_curve(const SeedResult& run, double ScoreRow::*value) {
  std::vector<RunPoint> curve;
  for (const ScoreRow& row : run.scores)
    if (row.split == "val") curve.push_back({static_cast<double>(row.step), row.*value});
  return curve;
}

std::vector<RunPoint> train_curve(const SeedResult& run, double TrainRow::*value) {
  std::vector<RunPoint> curve;
  for (const TrainRow& row : run.train)
    curve.push_back({static_cast<double>(row.step), row.*value});
  return curve;
}

// The steps at which a mean of training losses ends: the way from one evaluation to the next, or to
// the end, in equal parts of at most a twentieth of the run.
std::vector<double> mean_ends(const SeedResult& run) {
  constexpr double kParts = 20;
  std::vector<double> stops = {0};
  for (const EvalRow& row : run.eval)
    if (static_cast<double>(row.step) > stops.back())
      stops.push_back(static_cast<double>(row.step));
  const auto steps = static_cast<double>(std::max(run.steps, run.train.back().step));
  if (steps > stops.back()) stops.push_back(steps);
  std::vector<double> ends;
  for (std::size_t i = 1; i < stops.size(); ++i) {
    const double way = stops[i] - stops[i - 1];
    const double parts = std::ceil(kParts * way / steps);
    for (double part = 1; part <= parts; ++part)
      ends.push_back(std::lerp(stops[i - 1], stops[i], part / parts));
  }
  return ends;
}

// The training steps' own losses, averaged as mean_ends() says; a mean closes with the first row at
// its end or behind it. As they are if nothing was evaluated.
std::vector<RunPoint> logged_curve(const SeedResult& run) {
  if (run.eval.empty() || run.train.empty()) return train_curve(run, &TrainRow::loss);
  const std::vector<double> ends = mean_ends(run);
  std::vector<RunPoint> curve;
  auto end = ends.begin();
  double sum = 0, steps = 0, before = 0;
  for (const TrainRow& row : run.train) {
    const auto step = static_cast<double>(row.step);
    sum += (step - before) * row.loss;
    steps += step - before;
    before = step;
    bool closes = false;
    for (; end != ends.end() && *end <= step; ++end) closes = true;
    if (!closes || steps <= 0) continue;
    curve.push_back({step, sum / steps});
    sum = steps = 0;
  }
  return curve;
}

struct RunOf {
  const ArmResult* arm;
  const SeedResult* run;
};

// From a step of a run to its place on the x axis; NaN where that was not measured.
double x_of(const RunOf& of, CurveX x, double step) {
  const auto tokens = step * static_cast<double>(of.arm->tokens_per_step);
  if (x == CurveX::Step) return step;
  if (x == CurveX::Tokens) return tokens;
  if (x == CurveX::Flops) return tokens * of.arm->flops_per_token;
  const std::vector<TrainRow>& rows = of.run->train;
  const auto after = std::lower_bound(
      rows.begin(), rows.end(), step,
      [](const TrainRow& row, double s) { return static_cast<double>(row.step) < s; });
  if (after == rows.end()) return NAN;
  const TrainRow before = after == rows.begin() ? TrainRow{} : *(after - 1);
  if (after->step == before.step) return after->seconds;
  const double way =
      (step - static_cast<double>(before.step)) / static_cast<double>(after->step - before.step);
  return std::lerp(before.seconds, after->seconds, way);
}

// Seconds differ from run to run, so that no two runs would have a point in common: those are taken
// step by step, and the mean curve is placed at the mean of the seconds.
std::vector<CurvePoint> merged(const std::vector<RunOf>& runs,
                               std::vector<std::vector<RunPoint>> curves,
                               const CurveRequest& request) {
  if (request.x != CurveX::Seconds) {
    for (std::size_t i = 0; i < curves.size(); ++i)
      for (RunPoint& point : curves[i]) point.x = x_of(runs[i], request.x, point.x);
    return mean_curve(curves, request.band);
  }
  std::vector<std::vector<RunPoint>> seconds = curves;
  for (std::size_t i = 0; i < curves.size(); ++i)
    for (RunPoint& point : seconds[i])
      point.y = std::isfinite(point.y) ? x_of(runs[i], request.x, point.x) : NAN;
  std::map<double, double> place;
  for (const CurvePoint& point : mean_curve(seconds)) place[point.x] = point.mean;
  std::vector<CurvePoint> out;
  for (CurvePoint point : mean_curve(curves, request.band)) {
    const auto found = place.find(point.x);
    if (found == place.end()) continue;
    point.x = found->second;
    out.push_back(point);
  }
  return out;
}

// The values of a line's keys, and what its name is made of.
std::vector<std::string> group_of(const ArmResult& arm,
                                  const SeedResult& run,
                                  const std::vector<std::string>& keys) {
  std::vector<std::string> group;
  for (const std::string& key : keys) {
    if (key == "arm") {
      group.push_back(base_of(arm));
    } else if (key == "seed") {
      group.push_back(std::to_string(run.seed));
    } else {
      const auto value = std::find_if(arm.axes.begin(), arm.axes.end(),
                                      [&](const SweptValue& v) { return v.path == key; });
      group.push_back(value == arm.axes.end() ? "" : value->text);
    }
  }
  return group;
}

std::string name_of(const std::vector<std::string>& keys, const std::vector<std::string>& group) {
  std::string name;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (group[i].empty()) continue;
    const std::string key = keys[i] == "arm" ? "" : keys[i].substr(keys[i].rfind('.') + 1);
    name += (name.empty() ? "" : " ") +
            (key.empty() ? group[i] : key + (key == "seed" ? " " : "=") + value_text(group[i]));
  }
  return name;
}

std::string label_of(const std::string& name, const std::vector<RunOf>& runs) {
  const auto done = static_cast<std::size_t>(
      std::count_if(runs.begin(), runs.end(), [](const RunOf& of) { return of.run->done(); }));
  if (done == runs.size()) return name;
  if (done == 0) return name + " (unfinished)";
  return fmt::format("{} ({} of {} seeds)", name, done, runs.size());
}

CurveLine line_of(const std::vector<RunOf>& all, const CurveRequest& request) {
  CurveLine line;
  line.finished =
      std::any_of(all.begin(), all.end(), [](const RunOf& of) { return of.run->done(); });
  std::vector<RunOf> runs;
  for (const RunOf& of : all)
    if (line.finished ? of.run->done() : !of.run->eval.empty() || !of.run->train.empty())
      runs.push_back(of);
  line.runs = runs.size();
  const auto curve = [&](auto part) {
    std::vector<std::vector<RunPoint>> curves;
    for (const RunOf& of : runs) curves.push_back(part(*of.run));
    return merged(runs, curves, request);
  };
  const auto logged = [&](double TrainRow::*value) {
    return curve([&](const SeedResult& run) { return train_curve(run, value); });
  };
  const auto train_losses = [&] {
    auto points = curve([](const SeedResult& run) { return eval_curve(run, "train"); });
    if (!points.empty()) return points;
    points = curve(logged_curve);
    line.train_as_logged = !points.empty();
    return points;
  };
  switch (request.y) {
    case CurveY::Loss:
      line.train = train_losses();
      [[fallthrough]];
    case CurveY::ValLoss:
      line.main = curve([](const SeedResult& run) { return eval_curve(run, "val"); });
      break;
    case CurveY::TrainLoss:
      line.main = train_losses();
      break;
    case CurveY::BatchLoss:
      line.main = logged(&TrainRow::loss);
      break;
    case CurveY::LearningRate:
      line.main = logged(&TrainRow::lr);
      break;
    case CurveY::GradNorm:
      line.main = logged(&TrainRow::grad_norm);
      break;
    case CurveY::Accuracy:
      line.main =
          curve([](const SeedResult& run) { return score_curve(run, &ScoreRow::accuracy); });
      break;
    case CurveY::F1:
      line.main = curve([](const SeedResult& run) { return score_curve(run, &ScoreRow::f1); });
      break;
  }
  return line;
}

}  // namespace

std::vector<CurvePoint> mean_curve(const std::vector<std::vector<RunPoint>>& runs, Band band) {
  std::map<double, std::vector<double>> at;
  for (const std::vector<RunPoint>& run : runs)
    for (const RunPoint& point : run)
      if (std::isfinite(point.x) && std::isfinite(point.y)) at[point.x].push_back(point.y);
  std::vector<CurvePoint> curve;
  for (const auto& [x, values] : at) {
    const Summary summary = summarize(values);
    if (band == Band::Sd) {
      const double sd = summary.sd.value_or(0);
      curve.push_back({x, summary.mean, summary.mean - sd, summary.mean + sd});
    } else {
      const auto [low, high] = std::minmax_element(values.begin(), values.end());
      curve.push_back({x, summary.mean, *low, *high});
    }
  }
  return curve;
}

std::vector<CurvePoint> envelope(const std::vector<CurvePoint>& curve,
                                 std::size_t columns,
                                 bool log_x) {
  if (curve.size() <= 2 * columns) return curve;
  const auto place = [&](const CurvePoint& point) { return log_x ? std::log(point.x) : point.x; };
  const double first = place(curve.front());
  const double per_unit = static_cast<double>(columns) / (place(curve.back()) - first);
  const auto column_of = [&](const CurvePoint& point) {
    return std::min(columns - 1, static_cast<std::size_t>((place(point) - first) * per_unit));
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

std::vector<CurvePoint> clip_band(const std::vector<CurvePoint>& curve, double low, double high) {
  std::vector<CurvePoint> out;
  for (std::size_t i = 0; i < curve.size(); ++i) {
    if (i > 0) {
      const CurvePoint &a = curve[i - 1], &b = curve[i];
      std::vector<double> crossings;  // as fractions of the way from a to b
      for (const double limit : {low, high})
        for (const auto edge : {&CurvePoint::low, &CurvePoint::high})
          if ((a.*edge > limit) != (b.*edge > limit))
            crossings.push_back((limit - a.*edge) / (b.*edge - a.*edge));
      std::sort(crossings.begin(), crossings.end());
      for (const double t : crossings)
        out.push_back({std::lerp(a.x, b.x, t), std::lerp(a.mean, b.mean, t),
                       std::lerp(a.low, b.low, t), std::lerp(a.high, b.high, t)});
    }
    out.push_back(curve[i]);
  }
  for (CurvePoint& point : out) {
    point.low = std::clamp(point.low, low, high);
    point.high = std::clamp(point.high, low, high);
  }
  return out;
}

std::vector<std::string> group_keys(const Results& results, const CurveRequest& request) {
  const std::vector<SweepAxis> axes = sweep_axes(results, request.group);
  std::vector<std::string> keys;
  for (const std::string& name : request.group)
    keys.push_back(name == "arm" || name == "seed" ? name : find_axis(axes, name).path);
  if (!keys.empty()) return keys;
  keys.emplace_back("arm");
  for (const SweepAxis& axis : axes) keys.push_back(axis.path);
  return keys;
}

std::vector<CurveLine> curve_lines(const Results& results, const CurveRequest& request) {
  const std::vector<std::string> keys = group_keys(results, request);
  std::vector<std::vector<std::string>> groups;
  std::vector<std::vector<RunOf>> members;
  for (const ArmResult& arm : results.arms) {
    if (request.x == CurveX::Flops && arm.flops_per_token <= 0)
      throw UsageError("plot", "x = flops needs the FLOPs of a token, but the plan has none",
                       "the same bitlab run command writes the plan anew");
    for (const SeedResult& run : arm.runs) {
      const std::vector<std::string> group = group_of(arm, run, keys);
      auto at =
          static_cast<std::size_t>(std::find(groups.begin(), groups.end(), group) - groups.begin());
      if (at == groups.size()) {
        groups.push_back(group);
        members.emplace_back();
      }
      members[at].push_back({&arm, &run});
    }
  }
  std::vector<CurveLine> lines;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    CurveLine line = line_of(members[i], request);
    line.group = groups[i];
    line.name = request.group.empty() ? members[i].front().arm->name : name_of(keys, groups[i]);
    line.label = label_of(line.name, members[i]);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::int64_t log_interval(const Results& results) {
  std::map<std::int64_t, std::size_t> counts;
  for (const ArmResult& arm : results.arms)
    for (const SeedResult& run : arm.runs)
      for (std::size_t i = 0; i < run.train.size(); ++i)
        ++counts[run.train[i].step - (i > 0 ? run.train[i - 1].step : 0)];
  const auto most = std::max_element(counts.begin(), counts.end(),
                                     [](auto& a, auto& b) { return a.second < b.second; });
  return most == counts.end() ? 1 : most->first;
}

}  // namespace bitlab
