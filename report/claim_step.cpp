#include "report/claim_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "core/base/error.h"
#include "report/arm_comparison.h"
#include "report/format.h"
#include "report/run_metrics.h"
#include "report/scaling_laws.h"
#include "report/statistics.h"

namespace bitlab {

namespace {

// One side of a step: an arm, or a number that is the same for every seed.
struct Operand {
  std::string name;
  ArmGroup arms;  // empty: a number
  std::optional<double> number;

  std::optional<double> of(const RunMetric& metric, std::int64_t seed) const {
    return number ? number : metric.of(arms, seed);
  }
};

std::optional<double> as_number(const std::string& text) {
  std::istringstream in(text);
  double x = 0;
  return in >> x && in.eof() ? std::optional<double>(x) : std::nullopt;
}

Operand find_operand(const std::string& name, const RunMetric& metric, const Results& results) {
  Operand operand{name, {}, as_number(name)};
  if (operand.number) return operand;
  for (const ArmResult& arm : results.arms)
    if (arm.name == name || arm.base == name) operand.arms.push_back(&arm);
  if (operand.arms.size() > 1 && !metric.whole_sweep)
    throw UsageError("claim", "'" + name + "' must be one arm, but the sweep has " +
                                  std::to_string(operand.arms.size()) + " of it");
  if (!operand.arms.empty()) return operand;
  for (const ReferenceLine& reference : results.references)
    if (reference.name == name) operand.number = reference.loss;
  if (!operand.number) {
    std::string arms;
    for (const ArmResult& arm : results.arms) arms += (arms.empty() ? "" : ", ") + arm.name;
    throw UsageError("claim", "'" + name + "' is none of the arms here (" + arms +
                                  "), no reference loss and no number");
  }
  return operand;
}

std::vector<std::int64_t> seeds_of(const Results& results) {
  std::vector<std::int64_t> seeds;
  for (const ArmResult& arm : results.arms)
    for (const SeedResult& run : arm.runs)
      if (std::find(seeds.begin(), seeds.end(), run.seed) == seeds.end()) seeds.push_back(run.seed);
  return seeds;
}

// Values of both sides for the seeds that have both.
struct Sides {
  std::vector<double> left, right;
};

Sides sides_of(const Operand& a,
               const Operand& b,
               const RunMetric& metric,
               const Results& results) {
  Sides sides;
  for (const std::int64_t seed : seeds_of(results)) {
    const auto left = a.of(metric, seed), right = b.of(metric, seed);
    if (!left || !right) continue;
    sides.left.push_back(*left);
    sides.right.push_back(*right);
  }
  return sides;
}

// All that an arm has, whether or not the other side has the same seed.
std::vector<double> values_of(const Operand& arm, const RunMetric& metric, const Results& results) {
  std::vector<double> values;
  for (const std::int64_t seed : seeds_of(results))
    if (const auto value = arm.of(metric, seed)) values.push_back(*value);
  return values;
}

std::vector<double> logs(std::vector<double> values) {
  for (double& x : values) x = std::log(x);
  return values;
}

// Relations are strict: a difference of exactly 0 in every seed contradicts < and >.
Judgement judge(const ClaimStep& step, const Interval& of) {
  const double within = step.tolerance.value_or(0);
  bool holds = false, fails = false;
  if (step.relation == '<') {
    holds = of.high < 0;
    fails = of.low >= 0;
  } else if (step.relation == '>') {
    holds = of.low > 0;
    fails = of.high <= 0;
  } else {
    holds = of.low >= -within && of.high <= within;
    fails = of.low > within || of.high < -within;
  }
  return holds ? Judgement::Supported : fails ? Judgement::Contradicted : Judgement::Undecided;
}

std::string significant(double x) {
  const double size = std::fabs(x);
  if (size >= 1e-3 && size < 1e4)
    return format_fixed(x, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 4);
  return x == 0 ? "0" : fmt::format("{:.2e}", x);
}

// The mean over seeds; of a ratio the geometric one.
double centre(const RunMetric& metric, const std::vector<double>& values) {
  if (!metric.ratio) return summarize(values).mean;
  return std::exp(summarize(logs(values)).mean);
}

std::string value_text(const RunMetric& metric, const std::vector<double>& values) {
  const double x = centre(metric, values);
  return metric.unit.empty() ? significant(x) : format_fixed(x, 3);
}

std::string sides_text(const Operand& a,
                       const Operand& b,
                       const RunMetric& metric,
                       const Sides& sides) {
  const std::string figure = metric.name == "loss" ? "" : metric.name + " of ";
  std::string text = figure + a.name + " " + value_text(metric, sides.left);
  text += " against " + b.name;
  if (!b.number || as_number(b.name) != b.number) text += " " + value_text(metric, sides.right);
  return text;
}

// Of two arms with too few common seeds. Ranks tell which is larger, not by how much: they never
// decide an =.
StepResult test_by_ranks(const ClaimStep& step,
                         const Operand& a,
                         const Operand& b,
                         const RunMetric& metric,
                         const Sides& all,
                         std::size_t pairs) {
  const MannWhitney test = mann_whitney(all.left, all.right);
  StepResult result{Judgement::Undecided,
                    sides_text(a, b, metric, all) + "; " + ranks_text(test, pairs)};
  if (step.relation == '=' || test.p >= 0.05) return result;
  const bool greater = test.u > static_cast<double>(test.n_a * test.n_b) / 2;
  result.judgement =
      greater == (step.relation == '>') ? Judgement::Supported : Judgement::Contradicted;
  return result;
}

StepResult test_step(const ClaimStep& step, const RunMetric& metric, const Results& results) {
  const Operand a = find_operand(step.left, metric, results);
  const Operand b = find_operand(step.right, metric, results);
  const Sides sides = sides_of(a, b, metric, results);
  if (!a.number && !b.number) {
    const Sides all{values_of(a, metric, results), values_of(b, metric, results)};
    if (compared_by_ranks(sides.left.size(), all.left.size(), all.right.size()))
      return test_by_ranks(step, a, b, metric, all, sides.left.size());
  }
  if (sides.left.empty())
    return {Judgement::Undecided,
            fmt::format("no seed has {} of both {} and {} yet", metric.name, a.name, b.name)};
  std::string text = sides_text(a, b, metric, sides);
  const PairedDifference d = metric.ratio ? paired_difference(logs(sides.right), logs(sides.left))
                                          : paired_difference(sides.right, sides.left);
  if (!d.interval) return {Judgement::Undecided, text + "; one seed gives no interval"};
  const auto shown = [&](double x) {
    return metric.ratio          ? significant(std::exp(x))
           : metric.unit.empty() ? significant(x)
                                 : format_fixed(x, 4);
  };
  text += fmt::format("; {} {} (95 % interval {} to {}, {} seeds)",
                      metric.ratio ? "ratio" : "difference", shown(d.mean), shown(d.interval->low),
                      shown(d.interval->high), d.n);
  return {judge(step, *d.interval), text};
}

// A side of a step about laws: an arm with a law, or a number.
struct LawSide {
  const ScalingArm* arm = nullptr;
  double number = 0;

  double of(double size) const { return arm == nullptr ? number : arm->law.at(size); }
  double drawn(double size, std::size_t draw) const {
    return arm == nullptr ? number : arm->draws[draw].at(size);
  }
};

LawSide find_law(const std::string& name, const ScalingStudy& study) {
  if (const auto number = as_number(name)) return {nullptr, *number};
  if (study.baseline.name == name) return {&study.baseline};
  for (const ScalingArm& arm : study.others)
    if (arm.name == name) return {&arm};
  throw UsageError("claim", "'" + name + "' must be a number or an arm with finished runs of at " +
                                "least " + std::to_string(kLeastSizes) + " sizes");
}

StepResult test_step_of_laws(const ClaimStep& step, double size, const ScalingStudy& study) {
  const LawSide a = find_law(step.left, study), b = find_law(step.right, study);
  const Interval interval = interval_over_draws(
      study.baseline, [&](std::size_t draw) { return a.drawn(size, draw) - b.drawn(size, draw); });
  std::string text =
      fmt::format("law of {} at {} parameters {} against {}", step.left,
                  format_count(std::llround(size)), format_fixed(a.of(size), 3), step.right);
  if (b.arm != nullptr) text += " " + format_fixed(b.of(size), 3);
  text += fmt::format("; difference {} (95 % interval {} to {} by bootstrap)",
                      format_fixed(a.of(size) - b.of(size), 4), format_fixed(interval.low, 4),
                      format_fixed(interval.high, 4));
  if (size > study.largest())
    text += fmt::format(", {} times beyond the largest size trained",
                        format_fixed(size / study.largest(), size < 10 * study.largest() ? 1 : 0));
  return {judge(step, interval), text};
}

}  // namespace

StepResult test_step(const ClaimStep& step, const std::string& figure, const Results& results) {
  const auto size = law_size(figure);
  if (!size) return test_step(step, run_metric(figure), results);
  const auto study = scaling_study(results);
  if (!study)
    throw UsageError("claim", fmt::format("laws need the baseline and another arm done at {} sizes",
                                          kLeastSizes));
  return test_step_of_laws(step, *size, *study);
}

}  // namespace bitlab
