#include "report/plot_final.h"

#include <fmt/format.h>

#include <cmath>

#include "report/format.h"
#include "report/labels.h"
#include "report/plot_final_view.h"
#include "report/statistics.h"

namespace bitlab {

namespace {

constexpr double kStripRow = 14;  // height of a series' row of crosses above the frame

std::string note_of(const FinalView& view) {
  const FinalCounts& counts = view.counts;
  std::string text = "Data: " + view.results.data.source;
  if (counts.most == 1)
    text += "; one seed";
  else if (counts.most > 1)
    text += fmt::format("; mean ({}) of {}{} seeds, each a dot",
                        !view.numeric                   ? "dash"
                        : view.request.band == Band::Sd ? "line), one standard deviation (band"
                                                        : "line) and range (band",
                        counts.least == counts.most ? "" : fmt::format("{} to ", counts.least),
                        counts.most);
  if (counts.failed > 0) text += fmt::format("; {} failed (cross and number)", counts.failed);
  if (counts.pruned > 0) text += fmt::format("; {} pruned (ring)", counts.pruned);
  if (counts.unfinished > 0) text += fmt::format("; {} not finished", counts.unfinished);
  return text;
}

// The lowest mean of a series, as a text.
std::string best_of(const FinalView& view, const FinalSeries& series) {
  double best = std::numeric_limits<double>::infinity();
  std::size_t at = 0;
  for (std::size_t i = 0; i < series.cells.size(); ++i)
    if (const Summary s = summarize(series.cells[i].losses); s.n > 0 && s.mean < best)
      best = s.mean, at = i;
  if (!std::isfinite(best)) return ", none done";
  return fmt::format(", best {} at {}", format_fixed(best, 3), view.x_texts[at]);
}

// Runs of neighbouring cells with losses, as rows x, mean, low, high with a gap between.
std::string mean_rows(const FinalView& view, const FinalSeries& series) {
  std::string rows;
  for (const FinalCell& cell : series.cells) {
    std::vector<std::vector<RunPoint>> points;
    for (const double loss : cell.losses) points.push_back({{cell.x, loss}});
    for (const CurvePoint& p : mean_curve(points, view.request.band))
      rows += fmt::format("{:.8g} {:.6g} {:.6g} {:.6g}\n", p.x, p.mean,
                          std::clamp(p.low, view.y.low, view.y.high),
                          std::clamp(p.high, view.y.low, view.y.high));
    if (points.empty() && !rows.empty() && !rows.ends_with("\n\n")) rows += "\n";
  }
  return rows;
}

// Each series a little beside the others where x has no scale.
double shift_of(const FinalView& view, const std::vector<std::size_t>& shown, std::size_t series) {
  if (view.numeric || shown.size() == 1) return 0;
  const double step = std::min(0.2, 0.8 / static_cast<double>(shown.size()));
  const auto place = std::find(shown.begin(), shown.end(), series) - shown.begin();
  return step * (static_cast<double>(place) - 0.5 * static_cast<double>(shown.size() - 1));
}

std::vector<std::string> add_data(const FinalView& view,
                                  const std::vector<std::size_t>& shown,
                                  PlotPage& page) {
  std::vector<std::string> bands, lines, dots;
  for (const std::size_t i : shown) {
    const FinalSeries& series = view.series[i];
    if (!series.has_losses()) continue;
    const double shift = shift_of(view, shown, i),
                 dash = std::min(0.14, 0.6 / static_cast<double>(shown.size()));
    std::string seeds, dashes;
    for (const FinalCell& cell : series.cells) {
      for (const double loss : cell.losses)
        if (loss <= view.y.high) seeds += fmt::format("{:.8g} {:.6g}\n", cell.x + shift, loss);
      const Summary s = summarize(cell.losses);
      if (s.n > 0)
        dashes +=
            fmt::format("{:.8g} {:.6g} {:.8g} 0\n", cell.x + shift - 0.5 * dash, s.mean, dash);
    }
    const std::string colour = fmt::format("lc rgb '{}'", series.colour);
    if (!seeds.empty()) {
      page.data(fmt::format("seeds{}", i), seeds);
      dots.push_back(
          fmt::format("$seeds{} using 1:2 with points pt 7 ps 0.4 {} notitle", i, colour));
    }
    page.data(fmt::format("mean{}", i), view.numeric ? mean_rows(view, series) : dashes);
    if (view.numeric && view.counts.most > 1)
      bands.push_back(
          fmt::format("$mean{} using 1:3:4 with filledcurves fc rgb '{}' fs transparent "
                      "solid 0.18 noborder notitle",
                      i, series.colour));
    lines.push_back(fmt::format(
        "$mean{} using {} {} notitle", i,
        view.numeric ? "1:2 with lines lw 1.8" : "1:2:3:4 with vectors nohead lw 2.5", colour));
  }
  for (const auto* part : {&lines, &dots}) bands.insert(bands.end(), part->begin(), part->end());
  return bands;
}

// Crosses and rings above the frame, a row for each series that needs one; triangles at its edge.
void draw_marks(const FinalView& view, const std::vector<std::size_t>& shown, PlotPage& page) {
  double y = page.box().top + 12;
  for (const std::size_t i : shown) {
    const FinalSeries& series = view.series[i];
    const std::string colour = fmt::format("lc rgb '{}'", series.colour);
    for (const FinalCell& cell : series.cells) {
      double x = page.x_of(cell.x + shift_of(view, shown, i));
      const auto above = std::count_if(cell.losses.begin(), cell.losses.end(),
                                       [&](double loss) { return loss > view.y.high; });
      if (above > 0) page.mark(x, page.box().top - 5, "pt 9 ps 0.6 " + colour);
      const auto mark = [&](std::size_t count, const char* style) {
        if (count == 0) return;
        page.mark(x, y, style + colour);
        if (count > 1)
          page.text(x + 6, y, std::to_string(count), {.size = 9, .colour = series.colour});
        x += 20;
      };
      mark(cell.failed, "pt 2 ps 0.6 lw 1.6 ");
      mark(cell.pruned, "pt 6 ps 0.6 lw 1.2 ");
    }
    if (series.has_marks()) y += kStripRow;
  }
}

double strip_height(const FinalView& view, const std::vector<std::size_t>& shown) {
  const auto rows = std::count_if(shown.begin(), shown.end(),
                                  [&](std::size_t i) { return view.series[i].has_marks(); });
  return rows == 0 ? 0 : 4 + kStripRow * static_cast<double>(rows);
}

PlotHeading heading_of(const FinalView& view) {
  PlotHeading heading{view.results.title, note_of(view)};
  std::vector<std::string> seen;
  for (const FinalSeries& series : view.series) {
    std::string name = series.settings;
    if (view.panels.size() == 1) name = series.base + (name.empty() ? "" : " ") + name;
    if (name.empty() || std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
    seen.push_back(name);
    const std::string best = view.panels.size() == 1 ? best_of(view, series) : "";
    heading.key.push_back({shortened(name, kLabelChars) + best,
                           fmt::format("lw 2.5 lc rgb '{}'", series.colour),
                           fmt::format("pt 7 ps 0.5 lc rgb '{}'", series.colour)});
  }
  return heading;
}

std::vector<SideLabel> reference_labels(const FinalView& view) {
  std::vector<SideLabel> labels;
  for (const ReferenceLine& r : view.results.references)
    if (r.loss > view.y.low && r.loss < view.y.high)
      labels.push_back({r.loss, shortened(r.name, 16) + " " + format_fixed(r.loss, 3), kGrey});
  return labels;
}

// Names of categories that do not fit beside each other are written slanted.
double slant_room(FinalView& view, double width) {
  if (view.numeric) return 0;
  std::size_t longest = 0;
  for (const Tic& tic : view.x.tics) longest = std::max(longest, count_characters(tic.text));
  const double text = kCharWidth * static_cast<double>(longest);
  if (text < width / static_cast<double>(view.x.tics.size()) - 6) return 0;
  view.x.slanted = true;
  return 0.5 * text;
}

}  // namespace

std::optional<Figure> final_figure(const Results& results, const FinalRequest& request) {
  FinalView view = final_view(results, request);
  if (!view.any()) return std::nullopt;
  const auto& panels = view.panels;
  const PlotHeading heading = heading_of(view);
  const std::vector<SideLabel> labels = reference_labels(view);
  double strip = 0;
  for (const auto& shown : panels) strip = std::max(strip, strip_height(view, shown));
  PanelGrid grid = panel_grid(panels.size());
  if (panels.size() > 1) strip += 18;
  grid.row_height = panels.size() == 1 ? 290 : 240;
  grid.gap_y = 40 + strip;
  const double right = kFigureWidth - (labels.empty() ? 24 : side_label_room(labels));
  const double width = grid.boxes(kLeftMargin, right, 0).front().width();
  const double bottom = kBottomMargin + slant_room(view, width);
  const double top = heading_height(heading) + strip;
  PlotPage page(top + grid.height() + bottom);
  const std::vector<PlotBox> boxes = grid.boxes(kLeftMargin, right, page.height() - top);
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    PlotAxis x = view.x, y = view.y;
    y.tic_texts = grid.leftmost(i);
    if (!grid.leftmost(i)) y.title.clear();
    page.panel(boxes[i], x, y);
    if (i == 0) {
      page.heading(heading);
      if (view.x_name != "arm")
        page.text((kLeftMargin + right) / 2, 14, view.x_name, {.align = Align::Center});
    }
    if (boxes.size() > 1)
      page.text(boxes[i].left + 4, boxes[i].top + strip - 8, view.series[panels[i].front()].base,
                {.size = kLabelFont, .bold = true});
    for (const ReferenceLine& r : results.references)
      if (r.loss > view.y.low && r.loss < view.y.high) page.reference(r.loss);
    if (i + 1 == grid.columns) page.side_labels(labels);
    draw_marks(view, panels[i], page);
    page.plot(add_data(view, panels[i], page));
  }
  return page.figure();
}

}  // namespace bitlab
