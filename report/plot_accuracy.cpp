#include "report/plot_accuracy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/accuracy_rows.h"
#include "report/format.h"
#include "report/labels.h"
#include "report/plot_forest.h"

namespace bitlab {

namespace {

constexpr double kFar = 4;  // times the median difference: what lies beyond is cut

// Zero and the intervals of all arms that are not far from the others.
PlotAxis x_axis(const std::vector<AccuracyRow>& rows) {
  std::vector<double> sizes;
  for (const AccuracyRow& row : rows) sizes.push_back(std::abs(row.sum->mean));
  std::sort(sizes.begin(), sizes.end());
  const double far = std::max(0.05, kFar * sizes[(sizes.size() - 1) / 2]);
  double low = 0, high = 0;
  for (const AccuracyRow& row : rows) {
    if (std::abs(row.sum->mean) > far) continue;
    low = std::min(low, row.sum->interval.low);
    high = std::max(high, row.sum->interval.high);
    for (const double d : row.differences) low = std::min(low, d), high = std::max(high, d);
  }
  const double room = 0.06 * std::max(high - low, 0.01);
  PlotAxis axis = number_axis(100 * (low - room), 100 * (high + room), false, 4);
  axis.grid = true;
  axis.title = "difference in accuracy (points)";
  return axis;
}

ForestLine line_of(const AccuracyRow& row) {
  const Interval interval{100 * row.sum->interval.low, 100 * row.sum->interval.high};
  ForestLine line;
  line.label = fmt::format("{}  {} %", shortened(row.arm->name, kLabelChars - 8),
                           format_fixed(100 * row.common, 1));
  line.mean = 100 * row.sum->mean;
  line.interval = interval;
  line.text = with_interval(*line.mean, interval, 1);
  if (row.differences.size() > 1)
    for (const double d : row.differences) line.dots.push_back(100 * d);
  return line;
}

}  // namespace

std::optional<Figure> accuracy_figure(const Results& results) {
  const std::vector<JudgedRun> all = judged_runs(results);
  std::vector<AccuracyRow> rows = accuracy_rows(results, all);
  std::erase_if(rows, [](const AccuracyRow& row) { return !row.sum; });
  if (rows.empty()) return std::nullopt;
  std::vector<ForestLine> lines;
  std::size_t most = 0;
  for (const AccuracyRow& row : rows) {
    lines.push_back(line_of(row));
    most = std::max(most, row.differences.size());
  }
  // Arms of fewer seeds are compared with less of the baseline.
  const double baseline = rows.front().baseline_common;
  const bool same = std::all_of(rows.begin(), rows.end(), [&](const AccuracyRow& row) {
    return row.baseline_common == baseline;
  });
  PlotHeading heading{
      results.title,
      fmt::format(
          "Data: {}, {} texts; accuracy, and minus that of {}{} with the same seed{}",
          results.data.source, format_count(static_cast<std::int64_t>(rows.front().sum->texts)),
          results.baseline, same ? fmt::format(" ({} %)", format_fixed(100 * baseline, 1)) : "",
          most > 1 ? "s" : "")};
  if (most == 1) heading.note += "; one seed";
  if (most > 1)
    heading.key.push_back({"one seed", "", fmt::format("pt 7 ps 0.5 lc rgb '{}'", kPalette[0])});
  heading.key.push_back({most > 1 ? "mean over seeds" : "difference", "",
                         fmt::format("pt 13 ps 0.8 lc rgb '{}'", kInk)});
  heading.key.push_back({fmt::format("95 % interval over texts{}", most > 1 ? " and seeds" : ""),
                         fmt::format("lw 1.6 lc rgb '{}'", kPalette[0])});
  return forest_page(heading, x_axis(rows), lines).figure();
}

}  // namespace bitlab
