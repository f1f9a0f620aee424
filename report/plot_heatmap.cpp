#include "report/plot_heatmap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "report/format.h"
#include "report/labels.h"
#include "report/plot_page.h"
#include "report/statistics.h"
#include "report/sweep_axes.h"

namespace bitlab {

namespace {

constexpr std::size_t kMostPanels = 12;
constexpr double kTwoLines = 28;  // height of a cell with room for the number of its seeds

struct Cell {
  std::vector<double> losses;
  std::size_t planned = 0, failed = 0;
};

struct Panel {
  std::string title;
  std::vector<Cell> cells;  // row by row from the lowest y
};

struct View {
  const Results& results;
  const SweepAxis &x, &y;
  std::vector<Panel> panels;
  double low = 0, high = 0, highest = 0;  // of the colours; of the means

  double shade(double loss) const { return high > low ? (loss - low) / (high - low) : 0.5; }
};

void collect(View& view, const std::vector<SweepAxis>& axes) {
  for (const ArmResult& arm : view.results.arms) {
    const std::size_t i = view.x.index(arm), j = view.y.index(arm);
    if (i == view.x.values.size() || j == view.y.values.size()) continue;
    std::string title = base_of(arm);
    for (const SweepAxis& axis : axes) {
      const std::size_t k = axis.index(arm);
      if (axis.path != view.x.path && axis.path != view.y.path && k < axis.values.size())
        title += " " + axis.name + "=" + value_text(axis.values[k].text);
    }
    auto panel = std::find_if(view.panels.begin(), view.panels.end(),
                              [&](const Panel& p) { return p.title == title; });
    if (panel == view.panels.end())
      panel = view.panels.insert(
          panel, {title, std::vector<Cell>(view.x.values.size() * view.y.values.size())});
    Cell& cell = panel->cells[j * view.x.values.size() + i];
    for (const SeedResult& run : arm.runs) {
      ++cell.planned;
      cell.failed += run.state == SeedState::Failed;
      const std::optional<double> loss = run.done() ? final_val_loss(run) : std::nullopt;
      if (loss) cell.losses.push_back(*loss);
    }
  }
}

std::vector<double> sorted_means(const View& view) {
  std::vector<double> means;
  for (const Panel& panel : view.panels)
    for (const Cell& cell : panel.cells)
      if (!cell.losses.empty()) means.push_back(summarize(cell.losses).mean);
  std::sort(means.begin(), means.end());
  return means;
}

void set_colours(View& view, const std::vector<double>& means) {
  view.low = means.front();
  view.highest = means.back();
  view.high = upper_fence(means);
}

PlotAxis category_axis(const SweepAxis& axis, double room) {
  PlotAxis out{-0.5, static_cast<double>(axis.values.size()) - 0.5};
  // Where there are more values than room, every second, third ...
  const auto most = std::max<std::size_t>(1, static_cast<std::size_t>(room));
  const std::size_t each = (axis.values.size() + most - 1) / most;
  for (std::size_t i = 0; i < axis.values.size(); i += each)
    out.tics.push_back({static_cast<double>(i), shortened(value_text(axis.values[i].text), 14)});
  return out;
}

void draw_cell(const View& view, const Cell& cell, const PlotBox& box, bool best, PlotPage& page) {
  const double x = (box.left + box.right) / 2, y = (box.bottom + box.top) / 2;
  const bool room = box.width() >= 23 && box.height() >= 11;
  if (cell.losses.empty()) {
    if (cell.planned == 0) return;
    page.rectangle(box, "#f0f0f0");
    if (cell.failed > 0) page.mark(x, y, fmt::format("pt 2 ps 0.7 lw 1.5 lc rgb '{}'", kGrey));
    return;
  }
  const double loss = summarize(cell.losses).mean, t = std::min(view.shade(loss), 1.0);
  page.rectangle(box, ramp_colour(t));
  const std::string ink = t < 0.5 ? "#ffffff" : "#000000";
  const bool less = cell.losses.size() < cell.planned;
  const bool two_lines = less && box.height() >= kTwoLines;
  if (room)
    page.text(x, y + (two_lines ? 5 : 0),
              format_fixed(loss, box.width() < 30 ? 2 : 3) +
                  (less && !two_lines && box.width() >= 46 ? "*" : ""),
              {.size = box.width() < 34 ? 8.5 : 10.0,
               .colour = ink,
               .align = Align::Center,
               .bold = best,
               .front = true});
  if (room && two_lines)
    page.text(x, y - 8, fmt::format("{} of {}", cell.losses.size(), cell.planned),
              {.size = 8, .colour = ink, .align = Align::Center, .front = true});
  if (best)
    for (const auto& [x0, y0, x1, y1] : {std::tuple(box.left, box.bottom, box.right, box.bottom),
                                         std::tuple(box.left, box.top, box.right, box.top),
                                         std::tuple(box.left, box.bottom, box.left, box.top),
                                         std::tuple(box.right, box.bottom, box.right, box.top)})
      page.line(x0, y0, x1, y1, fmt::format("front lw 2.4 lc rgb '{}'", kPalette[1]));
}

std::string note_of(const View& view, bool two_lines) {
  std::size_t failed = 0, most = 0;
  bool fewer = false;
  for (const Panel& panel : view.panels)
    for (const Cell& cell : panel.cells) {
      failed += cell.failed;
      most = std::max(most, cell.losses.size());
      fewer |= !cell.losses.empty() && cell.losses.size() < cell.planned;
    }
  std::string note = "Data: " + view.results.data.source + "; final validation loss, " +
                     (most == 1 ? "one seed" : fmt::format("mean of {} seeds", most)) +
                     "; framed: the lowest";
  if (failed > 0) note += fmt::format("; {} runs failed (cross: all of a cell)", failed);
  if (fewer) note += two_lines ? "; n of m: seeds that are done" : "; *: not all seeds are done";
  return note;
}

void draw_colour_bar(const View& view, const PlotBox& box, PlotPage& page) {
  constexpr int kSteps = 64;
  for (int i = 0; i < kSteps; ++i) {
    const double height = box.height() / kSteps;
    page.rectangle({box.left, box.right, box.bottom + height * i,
                    std::min(box.top, box.bottom + height * (i + 1) + 0.5)},
                   ramp_colour((i + 0.5) / kSteps));
  }
  for (const Tic& tic : linear_tics(view.low, view.high, box.height() < 160 ? 2 : 4)) {
    const double y = box.bottom + box.height() * view.shade(tic.at);
    page.line(box.right, y, box.right + 4, y, fmt::format("lw 1 lc rgb '{}'", kGrey));
    page.text(box.right + 8, y, tic.text, {.size = 10});
  }
  if (view.highest > view.high)
    page.text(box.left, box.top + 10, "up to " + format_fixed(view.highest, 2),
              {.size = 10, .colour = kGrey});
}

}  // namespace

std::optional<Figure> heatmap_figure(const Results& results,
                                     const std::string& x,
                                     const std::string& y) {
  const std::vector<SweepAxis> axes = sweep_axes(results, {x, y});
  if (axes.size() < 2) {
    if (!x.empty()) find_axis(axes, x);
    if (!y.empty()) find_axis(axes, y);
    return std::nullopt;
  }
  const SweepAxis* of_x = x.empty() ? nullptr : &find_axis(axes, x);
  const SweepAxis* of_y = y.empty() ? nullptr : &find_axis(axes, y);
  for (const SweepAxis& axis : axes) {
    if (of_x == nullptr && &axis != of_y) of_x = &axis;
    if (of_y == nullptr && &axis != of_x) of_y = &axis;
  }
  if (of_x == of_y)
    throw UsageError("plot", "a heat map must have two settings, but got " + of_x->path + " twice");
  View view{results, *of_x, *of_y, {}};
  collect(view, axes);
  const std::vector<double> means = sorted_means(view);
  if (means.empty()) return std::nullopt;
  if (view.panels.size() > kMostPanels)
    throw UsageError(
        "plot",
        fmt::format("heat maps must fit {} panels, but need {}", kMostPanels, view.panels.size()),
        "choose fewer runs by a filter");
  set_colours(view, means);
  PanelGrid grid = panel_grid(view.panels.size());
  if (grid.columns == 3 && view.x.values.size() > 6) grid.columns = 2;
  grid.row_height = std::clamp(34.0 * static_cast<double>(view.y.values.size()), 90.0, 320.0);
  const double cell_height = grid.row_height / static_cast<double>(view.y.values.size()) - 2;
  const PlotHeading heading{results.title, note_of(view, cell_height >= kTwoLines)};
  std::size_t longest = 0;
  for (const SweptValue& value : view.y.values)
    longest = std::max(longest, count_characters(shortened(value_text(value.text), 14)));
  const double left = 44 + kCharWidth * static_cast<double>(longest), right = kFigureWidth - 84;
  const double width =
      grid.boxes(left, right, 0).front().width() / static_cast<double>(view.x.values.size());
  PlotAxis x_axis = category_axis(view.x, grid.boxes(left, right, 0).front().width() / 16);
  for (const Tic& tic : x_axis.tics)
    x_axis.slanted |= kCharWidth * static_cast<double>(count_characters(tic.text)) > width - 2;
  const double slant = x_axis.slanted ? 14 : 0;
  PlotAxis y_axis = category_axis(view.y, grid.row_height / 13);
  grid.gap_y = 28;
  const double top = heading_height(heading) + 16;
  PlotPage page(top + grid.height() + kBottomMargin + slant);
  const std::vector<PlotBox> boxes = grid.boxes(left, right, page.height() - top);
  for (std::size_t p = 0; p < boxes.size(); ++p) {
    x_axis.tic_texts = grid.lowest(p);
    y_axis.tic_texts = grid.leftmost(p);
    page.panel(boxes[p], x_axis, y_axis);
    page.text(boxes[p].left, boxes[p].top + 8,
              shortened(view.panels[p].title,
                        static_cast<std::size_t>((boxes[p].width() + grid.gap_x - 4) / 6.5)),
              {.size = 10, .bold = true});
    if (p == 0) {
      page.heading(heading);
      page.text((left + right) / 2, 14, view.x.path, {.align = Align::Center});
      page.text(16, (boxes.back().bottom + boxes.front().top) / 2, view.y.path,
                {.align = Align::Center, .upright = true});
      draw_colour_bar(view, {right + 16, right + 28, boxes[0].bottom, boxes[0].top - 16}, page);
    }
    for (std::size_t c = 0; c < view.panels[p].cells.size(); ++c) {
      const auto i = static_cast<double>(c % view.x.values.size()),
                 j = static_cast<double>(c / view.x.values.size());
      const Cell& cell = view.panels[p].cells[c];
      const bool best = !cell.losses.empty() && summarize(cell.losses).mean == means.front();
      draw_cell(view, cell,
                {page.x_of(i - 0.5) + 1, page.x_of(i + 0.5) - 1, page.y_of(j - 0.5) + 1,
                 page.y_of(j + 0.5) - 1},
                best, page);
    }
    page.plot({});
  }
  return page.figure();
}

}  // namespace bitlab
