#include "report/scaling_verdict.h"

#include <fmt/format.h>

#include <cmath>

#include "report/arm_comparison.h"
#include "report/format.h"
#include "report/plot_axis.h"
#include "report/published_models.h"

namespace bitlab {

const char* const kScalingNote =
    "The laws at sizes that were not trained here, in nats, with 95 % intervals by bootstrap: of "
    "the scatter about the law, not of the law itself. Published: BitNet b1.58 against LLaMA, Ma "
    "et al. 2024 (arXiv:2402.17764), by the perplexities of its table 1 and by the ends of its "
    "training curves, which are on different data and disagree. Only percents of the loss can be "
    "held against each other across data and units.";

namespace {

std::string sign(double x, int digits) {
  const std::string text = format_fixed(x, digits);
  return x > 0 ? "+" + text : text;
}

std::string size_text(double size) { return format_count(std::llround(size)); }

std::string law_line(const Results& results, const ScalingArm& arm) {
  const auto interval_of = [&](double PowerLaw::*number) {
    return interval_over_draws(arm, [&](std::size_t draw) { return arm.draws[draw].*number; });
  };
  const Interval floor = interval_of(&PowerLaw::floor), exponent = interval_of(&PowerLaw::exponent);
  return fmt::format(
      "{}: L(N) = {} + {} / N^{} {} over {} sizes of {} to {} parameters outside of the embedding "
      "(95 %: E {} to {}, alpha {} to {}).\n",
      arm.name, format_fixed(arm.law.floor, 3), short_number(arm.law.amplitude),
      format_fixed(arm.law.exponent, 3), loss_unit(results), arm.points.size(),
      size_text(arm.points.front().losses.size), size_text(arm.points.back().losses.size),
      format_fixed(floor.low, 3), format_fixed(floor.high, 3), format_fixed(exponent.low, 3),
      format_fixed(exponent.high, 3));
}

std::string trend_text(const LawFigure& trend) {
  if (trend.interval.high < 0) return "it shrinks";
  if (trend.interval.low > 0) return "it grows";
  return "neither shrinking nor growing is shown";
}

std::string gap_line(const Results& results, const ScalingStudy& study, const ScalingArm& arm) {
  const std::vector<MeasuredGap> gaps = measured_gaps(study, arm);
  if (gaps.empty()) return "";
  std::string text = fmt::format("Measured gap of {} to {}, from the smallest size to the largest:",
                                 arm.name, study.baseline.name);
  for (std::size_t i = 0; i < gaps.size(); ++i)
    text += (i == 0 ? " " : ", ") + sign(gaps[i].gap, 3);
  text += " " + loss_unit(results);
  if (const auto trend = gap_trend(gaps))
    text += fmt::format("; a doubling changes it by {} (95 % t interval {} to {}): {}",
                        sign(trend->value, 4), sign(trend->interval.low, 4),
                        sign(trend->interval.high, 4), trend_text(*trend));
  return text + ".\n";
}

std::string at_published_size(const ScalingStudy& study,
                              const ScalingArm& arm,
                              const PublishedModel& model) {
  const LawFigure gap = gap_at(study, arm, model.params);
  return fmt::format("{} at {} (95 % {} to {})", sign(gap.value, 3), model.name,
                     sign(gap.interval.low, 3), sign(gap.interval.high, 3));
}

// What the last of the published sizes, from which on ternary weights are said to match, may hope
// for.
std::string judgement(const LawFigure& gap, const ScalingArm& arm, const std::string& size) {
  if (gap.interval.low > 0)
    return fmt::format("these laws leave {} behind at {}", arm.name, size);
  if (gap.interval.high < 0) return fmt::format("these laws put {} ahead at {}", arm.name, size);
  return fmt::format("these laws leave it open which is ahead at {}", size);
}

std::string outlook_line(const ScalingStudy& study, const ScalingArm& arm) {
  const auto& models = published_models();
  std::string gaps;
  for (const PublishedModel& model : models)
    if (model.params > study.largest())
      gaps += (gaps.empty() ? "" : ", ") + at_published_size(study, arm, model);
  if (gaps.empty()) return "";
  const PublishedModel& last = models.back();
  return fmt::format(
      "Laws continued, the gap of {} would be {} nats: {}. That is {:.0f} times the largest size "
      "trained here; the intervals know the scatter about the law, not whether the law holds so "
      "far out.\n",
      arm.name, gaps, judgement(gap_at(study, arm, last.params), arm, last.name),
      last.params / study.largest());
}

bool ternary(const ScalingArm& arm) { return arm.points.front().arm->ternary_params > 0; }

std::string percent(const PublishedLosses& losses) {
  return fmt::format("{} %", sign(100 * losses.gap() / losses.full, 1));
}

std::string with_interval(const LawFigure& figure, int digits, bool signs) {
  const auto shown = [&](double x) { return signs ? sign(x, digits) : format_fixed(x, digits); };
  return fmt::format("{} ({} to {})", shown(figure.value), shown(figure.interval.low),
                     shown(figure.interval.high));
}

}  // namespace

std::string scaling_verdict(const Results& results, const ScalingStudy& study) {
  std::string text = law_line(results, study.baseline);
  for (const ScalingArm& arm : study.others) text += law_line(results, arm);
  for (const ScalingArm& arm : study.others)
    text += gap_line(results, study, arm) + outlook_line(study, arm);
  return text;
}

TextTable scaling_table(const ScalingStudy& study) {
  const bool published =
      study.others.size() == 1 && !ternary(study.baseline) && ternary(study.others.front());
  TextTable table;
  table.heads = {{"size", true}, {study.baseline.name}};
  for (const ScalingArm& arm : study.others)
    table.heads.insert(table.heads.end(), {{arm.name}, {"gap"}, {"gap in %"}});
  if (published)
    table.heads.insert(table.heads.end(), {{"published, perplexity"}, {"published, curves"}});
  for (const PublishedModel& model : published_models()) {
    const LawFigure full = loss_at(study.baseline, model.params);
    std::vector<std::string> row = {model.name, with_interval(full, 3, false)};
    for (const ScalingArm& arm : study.others) {
      const LawFigure gap = gap_at(study, arm, model.params);
      row.push_back(with_interval(loss_at(arm, model.params), 3, false));
      row.push_back(with_interval(gap, 3, true));
      row.push_back(fmt::format("{} %", sign(100 * gap.value / full.value, 1)));
    }
    if (published) {
      row.push_back(percent(model.perplexity));
      row.push_back(percent(model.curve));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace bitlab
