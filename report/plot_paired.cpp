#include "report/plot_paired.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "report/format.h"
#include "report/labels.h"
#include "report/arm_comparison.h"
#include "report/plot_page.h"
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

// A line of the figure.
struct Line {
  std::string label, text;
  std::vector<double> dots;
  std::optional<double> mean;
  std::optional<Interval> interval;
};

std::string signed_number(double x, int digits) {
  const std::string text = format_fixed(x, digits);
  return (x > 0 ? "+" : "") + text;
}

Line mean_line(const PairedRow& row, const std::string& label) {
  Line line{label, "no pair of seeds", row.differences, {}, {}};
  if (!row.sum) return line;
  line.mean = row.sum->mean;
  line.interval = row.sum->interval;
  line.text = signed_number(row.sum->mean, 3);
  line.text += row.sum->interval
                   ? fmt::format(" [{}, {}]", signed_number(row.sum->interval->low, 3),
                                 signed_number(row.sum->interval->high, 3))
                   : " one seed";
  return line;
}

std::vector<Line> lines_of(const std::vector<PairedRow>& rows) {
  std::vector<Line> lines;
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
  Line mean = mean_line(row, "mean");
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

void draw_line(PlotPage& page, const PlotAxis& x, double y, const Line& line) {
  const std::string colour = fmt::format("lc rgb '{}'", kPalette[0]);
  for (const double d : line.dots) page.mark(page.x_of(d), y, "pt 7 ps 0.45 " + colour);
  if (!line.mean) return;
  if (line.interval) {
    const double low = std::max(line.interval->low, x.low),
                 high = std::min(line.interval->high, x.high);
    page.line(page.x_of(low), y, page.x_of(high), y, "lw 1.6 " + colour);
    for (const auto& [end, cut, arrow] : {std::tuple(low, low > line.interval->low, -1),
                                          std::tuple(high, high < line.interval->high, 1)}) {
      const double at = page.x_of(end);
      if (cut) {
        for (const double side : {-4.0, 4.0})
          page.line(at, y, at - 5 * arrow, y + side, "lw 1.6 " + colour);
      } else {
        page.line(at, y - 4, at, y + 4, "lw 1.6 " + colour);
      }
    }
  }
  page.mark(page.x_of(*line.mean), y, fmt::format("pt 13 ps 0.8 lc rgb '{}'", kInk));
}

double text_room(const std::vector<Line>& lines, std::string Line::*part) {
  std::size_t longest = 0;
  for (const Line& line : lines)
    longest = std::max(longest, count_characters(shortened(line.*part, kLabelChars)));
  return 24 + kCharWidth * static_cast<double>(longest);
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
  const std::vector<Line> lines = lines_of(rows);
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
  const double top = heading_height(heading),
               left = std::max(kLeftMargin, text_room(lines, &Line::label));
  const double row_height = lines.size() > 20 ? 18 : 26;
  PlotPage page(top + row_height * static_cast<double>(lines.size()) + 20 + kBottomMargin);
  PlotAxis x = x_axis(results, rows), y;
  page.panel(
      {left, page.width() - text_room(lines, &Line::text), kBottomMargin, page.height() - top}, x,
      y);
  page.heading(heading);
  page.line(page.x_of(0), page.box().bottom, page.x_of(0), page.box().top,
            fmt::format("lw 1.4 lc rgb '{}'", kInk));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const double at = page.box().top - 10 - row_height * (static_cast<double>(i) + 0.5);
    page.text(left - 12, at, shortened(lines[i].label, kLabelChars),
              {.size = kLabelFont, .align = Align::Right});
    page.text(page.box().right + 10, at, lines[i].text, {.size = kLabelFont, .colour = kGrey});
    draw_line(page, x, at, lines[i]);
  }
  page.plot({});
  return page.figure();
}

}  // namespace bitlab
