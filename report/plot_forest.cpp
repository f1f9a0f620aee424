#include "report/plot_forest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/format.h"
#include "report/labels.h"

namespace bitlab {

namespace {

// At the edge of the panel, pointing out of it.
void draw_arrow(PlotPage& page, double x, double y, int direction, const std::string& style) {
  for (const double side : {-4.0, 4.0}) page.line(x, y, x - 5 * direction, y + side, style);
}

// What lies beyond the axis altogether is an arrow at its edge.
void draw_interval(PlotPage& page, const PlotAxis& x, double y, const Interval& interval) {
  const std::string style = fmt::format("lw 1.6 lc rgb '{}'", kPalette[0]);
  const double low = std::clamp(interval.low, x.low, x.high),
               high = std::clamp(interval.high, x.low, x.high);
  page.line(page.x_of(low), y, page.x_of(high), y, style);
  const auto end = [&](double at) { page.line(page.x_of(at), y - 4, page.x_of(at), y + 4, style); };
  if (interval.low < x.low)
    draw_arrow(page, page.x_of(low), y, -1, style);
  else if (interval.low <= x.high)
    end(low);
  if (interval.high > x.high)
    draw_arrow(page, page.x_of(high), y, 1, style);
  else if (interval.high >= x.low)
    end(high);
}

void draw_line(PlotPage& page, const PlotAxis& x, double y, const ForestLine& line) {
  const auto inside = [&](double value) { return value >= x.low && value <= x.high; };
  for (const double d : line.dots)
    if (inside(d)) page.mark(page.x_of(d), y, fmt::format("pt 7 ps 0.45 lc rgb '{}'", kPalette[0]));
  if (!line.mean) return;
  if (line.interval) draw_interval(page, x, y, *line.interval);
  if (inside(*line.mean))
    page.mark(page.x_of(*line.mean), y, fmt::format("pt 13 ps 0.8 lc rgb '{}'", kInk));
}

double text_room(const std::vector<ForestLine>& lines, std::string ForestLine::*part) {
  std::size_t longest = 0;
  for (const ForestLine& line : lines)
    longest = std::max(longest, count_characters(shortened(line.*part, kLabelChars)));
  return 24 + kCharWidth * static_cast<double>(longest);
}

}  // namespace

std::string signed_number(double x, int digits) {
  return (x > 0 ? "+" : "") + format_fixed(x, digits);
}

std::string with_interval(double mean, const Interval& interval, int digits) {
  return fmt::format("{} [{}, {}]", signed_number(mean, digits),
                     signed_number(interval.low, digits), signed_number(interval.high, digits));
}

PlotPage forest_page(const PlotHeading& heading,
                     const PlotAxis& axis,
                     const std::vector<ForestLine>& lines) {
  const double top = heading_height(heading),
               left = std::max(kLeftMargin, text_room(lines, &ForestLine::label));
  const double row_height = lines.size() > 20 ? 18 : 26;
  PlotPage page(top + row_height * static_cast<double>(lines.size()) + 20 + kBottomMargin);
  page.panel({left, page.width() - text_room(lines, &ForestLine::text), kBottomMargin,
              page.height() - top},
             axis, {});
  page.heading(heading);
  page.line(page.x_of(0), page.box().bottom, page.x_of(0), page.box().top,
            fmt::format("lw 1.4 lc rgb '{}'", kInk));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const double at = page.box().top - 10 - row_height * (static_cast<double>(i) + 0.5);
    page.text(left - 12, at, shortened(lines[i].label, kLabelChars),
              {.size = kLabelFont, .align = Align::Right});
    page.text(page.box().right + 10, at, lines[i].text, {.size = kLabelFont, .colour = kGrey});
    draw_line(page, axis, at, lines[i]);
  }
  page.plot({});
  return page;
}

}  // namespace bitlab
