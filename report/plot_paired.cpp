#include "report/plot_paired.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "report/arm_comparison.h"
#include "report/format.h"
#include "report/labels.h"
#include "report/plot_forest.h"
#include "report/sweep_axes.h"

namespace bitlab {

namespace {

constexpr std::size_t kMostRows = 60;

const ArmResult& baseline_of(const Results& results) {
  for (const ArmResult& arm : results.arms)
    if (arm.name == results.baseline || base_of(arm) == results.baseline) return arm;
  return results.arms.front();
}

std::string label_of(const Results& results, const ArmResult& arm, bool many_bases) {
  std::string label = many_bases ? base_of(arm) : "";
  for (const SweepAxis& axis : sweep_axes(results)) {
    const std::size_t i = axis.index(arm);
    if (i < axis.values.size())
      label += (label.empty() ? "" : " ") + axis.name + "=" + value_text(axis.values[i].text);
  }
  return label.empty() ? arm.name : label;
}

ForestLine mean_line(const PairedRow& row, const std::string& label) {
  ForestLine line{label, "no pair of seeds", row.differences, {}, {}};
  if (!row.sum) return line;
  line.mean = row.sum->mean;
  line.interval = row.sum->interval;
  line.text = row.sum->interval ? with_interval(row.sum->mean, *row.sum->interval, 3)
                                : signed_number(row.sum->mean, 3) + " one seed";
  return line;
}

std::vector<ForestLine> lines_of(const std::vector<PairedRow>& rows) {
  std::vector<ForestLine> lines;
  if (rows.size() > 1) {
    for (const PairedRow& row : rows) lines.push_back(mean_line(row, row.label));
    return lines;
  }
  const PairedRow& row = rows.front();
  for (std::size_t i = 0; i < row.seeds.size(); ++i)
    lines.push_back({fmt::format("seed {}", row.seeds[i]),
                     signed_number(row.differences[i], 3),
                     {row.differences[i]},
                     {},
                     {}});
  ForestLine mean = mean_line(row, "mean");
  mean.dots.clear();
  lines.push_back(mean);
  return lines;
}

// Zero, all dots, and room for intervals: two seeds may give one that is far wider than anything
// measured, which is cut and gets an arrow.
PlotAxis x_axis(const Results& results, const std::vector<PairedRow>& rows) {
  double low = 0, high = 0, interval_low = 0, interval_high = 0;
  for (const PairedRow& row : rows) {
    for (const double d : row.differences) {
      low = std::min(low, d);
      high = std::max(high, d);
    }
    if (!row.sum || !row.sum->interval) continue;
    interval_low = std::min(interval_low, row.sum->interval->low);
    interval_high = std::max(interval_high, row.sum->interval->high);
  }
  const double room = std::max(high - low, 0.002);
  low = std::min(low, std::max(interval_low, low - 0.6 * room));
  high = std::max(high, std::min(interval_high, high + 0.6 * room));
  PlotAxis axis = number_axis(low - 0.05 * room, high + 0.05 * room, false, 4);
  axis.grid = true;
  axis.title = "difference of the final validation losses (nats per " + results.data.unit + ")";
  return axis;
}

}  // namespace

std::vector<PairedRow> paired_rows(const Results& results) {
  if (results.arms.empty()) return {};
  const ArmResult& baseline = baseline_of(results);
  const std::vector<std::string> bases = base_arms(results);
  std::vector<PairedRow> rows;
  for (const ArmResult& arm : results.arms) {
    const ArmResult* other = &baseline;
    if (bases.size() > 1) {
      const auto found =
          std::find_if(results.arms.begin(), results.arms.end(), [&](const ArmResult& candidate) {
            return base_of(candidate) == base_of(baseline) && same_point(candidate, arm);
          });
      if (found == results.arms.end()) continue;
      other = &*found;
    }
    if (other == &arm) continue;
    PairedRow row{label_of(results, arm, bases.size() > 2), {}, {}, {}};
    const PairedLosses losses = paired_losses(*other, arm);
    row.seeds = losses.seeds;
    for (std::size_t i = 0; i < losses.seeds.size(); ++i)
      row.differences.push_back(losses.other[i] - losses.baseline[i]);
    if (!losses.seeds.empty()) row.sum = paired_difference(losses.baseline, losses.other);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::optional<Figure> paired_figure(const Results& results) {
  const std::vector<PairedRow> rows = paired_rows(results);
  if (std::none_of(rows.begin(), rows.end(), [](const PairedRow& row) { return row.sum; }))
    return std::nullopt;
  if (rows.size() > kMostRows)
    throw UsageError("plot",
                     fmt::format("at most {} differences must be drawn, but there are {}",
                                 kMostRows, rows.size()),
                     "choose fewer runs by a filter");
  const std::vector<ForestLine> lines = lines_of(rows);
  const ArmResult& baseline = baseline_of(results);
  const std::vector<std::string> bases = base_arms(results);
  const std::string against =
      bases.size() > 1 ? base_of(baseline) : label_of(results, baseline, false);
  std::string what = "each arm";
  if (bases.size() == 2) what = bases[0] == base_of(baseline) ? bases[1] : bases[0];
  const bool intervals = std::any_of(
      rows.begin(), rows.end(), [](const PairedRow& row) { return row.sum && row.sum->interval; });
  PlotHeading heading{results.title, "Data: " + results.data.source + "; " + what + " minus " +
                                         against + " with the same seed"};
  heading.key = {{"one seed", "", fmt::format("pt 7 ps 0.5 lc rgb '{}'", kPalette[0])},
                 {"mean over seeds", "", fmt::format("pt 13 ps 0.8 lc rgb '{}'", kInk)}};
  if (intervals)
    heading.key.push_back({"95 % t interval", fmt::format("lw 1.6 lc rgb '{}'", kPalette[0])});
  else
    heading.note += "; one seed: no interval can be given";
  return forest_page(heading, x_axis(results, rows), lines).figure();
}

}  // namespace bitlab
