#include "report/plot_final.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/error.h"
#include "report/format.h"
#include "report/labels.h"
#include "report/plot_page.h"
#include "report/statistics.h"
#include "report/sweep_axes.h"

namespace bitlab {

namespace {

constexpr double kStripRow = 14;  // height of a series' row of crosses above the frame

// The runs of a series at one x.
struct Cell {
  double x = 0;
  std::vector<double> losses;  // of runs that are done
  std::size_t failed = 0, pruned = 0;
};

struct Series {
  std::string base, settings, colour;  // base: empty if the x axis is of arms
  std::vector<Cell> cells;             // in the order of x

  bool has_losses() const {
    return std::any_of(cells.begin(), cells.end(), [](const Cell& c) { return !c.losses.empty(); });
  }
  bool has_marks() const {
    return std::any_of(cells.begin(), cells.end(),
                       [](const Cell& c) { return c.failed + c.pruned > 0; });
  }
};

struct Counts {
  std::size_t failed = 0, pruned = 0, unfinished = 0, least = SIZE_MAX, most = 0;
};

struct View {
  const Results& results;
  const FinalRequest& request;
  std::string x_name;  // "optim.lr", "arm"
  bool numeric = false;
  std::vector<std::string> x_texts;  // of all values
  std::vector<double> x_values;      // their places
  std::vector<Series> series;
  std::vector<std::vector<std::size_t>> panels;  // series of each
  Counts counts;
  double start = 0;  // highest loss at the first evaluation
  PlotAxis x, y;
};

// Fills in what the x axis is of; returns for each arm the index of its value.
std::vector<std::size_t> choose_x(View& view, const std::vector<SweepAxis>& axes) {
  std::vector<std::size_t> index;
  const auto numeric =
      std::find_if(axes.begin(), axes.end(), [](const SweepAxis& axis) { return axis.numeric; });
  view.x_name = view.request.x;
  if (view.x_name.empty() && !axes.empty())
    view.x_name = numeric != axes.end() ? numeric->path : axes.front().path;
  if (view.x_name.empty() || view.x_name == "arm") {
    view.x_name = "arm";
    view.x_texts = base_arms(view.results);
    for (const ArmResult& arm : view.results.arms)
      index.push_back(static_cast<std::size_t>(
          std::find(view.x_texts.begin(), view.x_texts.end(), base_of(arm)) -
          view.x_texts.begin()));
  } else {
    const SweepAxis& axis = find_axis(axes, view.x_name);
    view.x_name = axis.path;
    view.numeric = axis.numeric;
    for (const SweptValue& value : axis.values) {
      view.x_texts.push_back(value_text(value.text));
      if (axis.numeric) view.x_values.push_back(*value.number);
    }
    for (const ArmResult& arm : view.results.arms) index.push_back(axis.index(arm));
    view.x.log =
        axis.numeric && axis.values.front().number > 0 && (axis.log() || view.request.log_x);
  }
  if (!view.numeric) {
    view.x_values.resize(view.x_texts.size());
    std::iota(view.x_values.begin(), view.x_values.end(), 0.0);
  }
  return index;
}

// The settings that set an arm apart from those of other series: all but the x axis.
std::string settings_of(const View& view,
                        const ArmResult& arm,
                        const std::vector<SweepAxis>& axes) {
  std::string name;
  for (const SweepAxis& axis : axes) {
    const std::size_t i = axis.index(arm);
    if (axis.path == view.x_name || i == axis.values.size()) continue;
    name += (name.empty() ? "" : " ") + axis.name + "=" + value_text(axis.values[i].text);
  }
  return name;
}

void add_run(View& view, Cell& cell, const SeedResult& run) {
  const std::optional<double> loss = run.done() ? final_val_loss(run) : std::nullopt;
  if (loss)
    cell.losses.push_back(*loss);
  else if (run.state == SeedState::Failed)
    ++cell.failed, ++view.counts.failed;
  else if (run.state == SeedState::Pruned)
    ++cell.pruned, ++view.counts.pruned;
  else
    ++view.counts.unfinished;
  for (const EvalRow& row : run.eval)
    if (row.split == "val" && std::isfinite(row.loss)) {
      view.start = std::max(view.start, row.loss);
      break;
    }
}

void collect(View& view) {
  const std::vector<SweepAxis> axes = sweep_axes(view.results);
  const std::vector<std::size_t> index = choose_x(view, axes);
  for (std::size_t a = 0; a < view.results.arms.size(); ++a) {
    const ArmResult& arm = view.results.arms[a];
    if (index[a] >= view.x_values.size()) continue;  // has no value of this setting
    const std::string base = view.x_name == "arm" ? "" : base_of(arm),
                      settings = settings_of(view, arm, axes);
    auto series = std::find_if(view.series.begin(), view.series.end(), [&](const Series& s) {
      return s.base == base && s.settings == settings;
    });
    if (series == view.series.end()) {
      series = view.series.insert(series, {base, settings, "", {}});
      for (const double x : view.x_values) series->cells.push_back({x, {}, 0, 0});
    }
    for (const SeedResult& run : arm.runs) add_run(view, series->cells[index[a]], run);
  }
  for (const Series& series : view.series)
    for (const Cell& cell : series.cells) {
      if (cell.losses.empty()) continue;
      view.counts.least = std::min(view.counts.least, cell.losses.size());
      view.counts.most = std::max(view.counts.most, cell.losses.size());
    }
}

std::vector<std::string> distinct(const View& view, std::string Series::*part) {
  std::vector<std::string> values;
  for (const Series& series : view.series)
    if (std::find(values.begin(), values.end(), series.*part) == values.end())
      values.push_back(series.*part);
  return values;
}

// One panel, a colour a series; if both arms and other settings tell the series apart, a panel an
// arm and a colour for the settings.
void place_series(View& view) {
  const std::vector<std::string> bases = distinct(view, &Series::base),
                                 settings = distinct(view, &Series::settings);
  const bool split = bases.size() > 1 && settings.size() > 1;
  const std::size_t colours = split ? settings.size() : view.series.size();
  view.panels.resize(split ? bases.size() : 1);
  for (std::size_t i = 0; i < view.series.size(); ++i) {
    Series& series = view.series[i];
    const auto index = [](const std::vector<std::string>& values, const std::string& value) {
      return static_cast<std::size_t>(std::find(values.begin(), values.end(), value) -
                                      values.begin());
    };
    const std::size_t colour = split ? index(settings, series.settings) : i;
    series.colour = colours <= kPalette.size()
                        ? kPalette[colour]
                        : ramp_colour(kRampLineEnd * static_cast<double>(colour) /
                                      static_cast<double>(colours - 1));
    view.panels[split ? index(bases, series.base) : 0].push_back(i);
  }
}

// --- Axes ---

void set_x_axis(View& view) {
  if (!view.numeric) {
    view.x = {-0.5, static_cast<double>(view.x_values.size()) - 0.5};
    for (std::size_t i = 0; i < view.x_texts.size(); ++i)
      view.x.tics.push_back({view.x_values[i], shortened(view.x_texts[i], kLabelChars)});
    return;
  }
  const bool log = view.x.log;
  double low = view.x_values.front(), high = view.x_values.back();
  const double pad = log ? std::pow(high / low, 0.05) : 0.05 * (high - low);
  low = log ? low / pad : low - pad;
  high = log ? high * pad : high + pad;
  view.x = number_axis(low, high, log, 5);
  const bool short_texts = std::all_of(view.x_texts.begin(), view.x_texts.end(),
                                       [](const std::string& text) { return text.size() <= 5; });
  if (view.x_texts.size() > 8 || !short_texts) return;
  std::vector<Tic> tics;  // the values themselves
  for (std::size_t i = 0; i < view.x_texts.size(); ++i)
    tics.push_back({view.x_values[i], view.x_texts[i]});
  for (std::size_t i = 1; i < tics.size(); ++i)
    if (view.x.fraction(tics[i].at) - view.x.fraction(tics[i - 1].at) < 0.08) return;
  view.x.tics = std::move(tics);
}

void set_y_axis(View& view) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const Series& series : view.series)
    for (const Cell& cell : series.cells)
      for (const double loss : cell.losses) {
        low = std::min(low, loss);
        high = std::max(high, loss);
      }
  if (!(low <= high)) low = 0, high = std::max(view.start, 1.0);
  if (view.start > low) high = std::min(high, view.start);
  const bool log = view.request.log_y && low > 0;
  const double height = std::max(high - low, 0.02);
  const double bottom = log ? low / std::pow(high / low, 0.06) : low - 0.06 * height;
  view.y = number_axis(bottom, high + 0.06 * height, log, 5);
  view.y.grid = true;
  view.y.title = "final validation loss (nats per " + view.results.data.unit + ")";
}

// --- Drawing ---

std::string note_of(const View& view) {
  const Counts& counts = view.counts;
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
std::string best_of(const View& view, const Series& series) {
  double best = std::numeric_limits<double>::infinity();
  std::size_t at = 0;
  for (std::size_t i = 0; i < series.cells.size(); ++i)
    if (const Summary s = summarize(series.cells[i].losses); s.n > 0 && s.mean < best)
      best = s.mean, at = i;
  if (!std::isfinite(best)) return ", none done";
  return fmt::format(", best {} at {}", format_fixed(best, 3), view.x_texts[at]);
}

// Runs of neighbouring cells with losses, as rows x, mean, low, high with a gap between.
std::string mean_rows(const View& view, const Series& series) {
  std::string rows;
  for (const Cell& cell : series.cells) {
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
double shift_of(const View& view, const std::vector<std::size_t>& shown, std::size_t series) {
  if (view.numeric || shown.size() == 1) return 0;
  const double step = std::min(0.2, 0.8 / static_cast<double>(shown.size()));
  const auto place = std::find(shown.begin(), shown.end(), series) - shown.begin();
  return step * (static_cast<double>(place) - 0.5 * static_cast<double>(shown.size() - 1));
}

std::vector<std::string> add_data(const View& view,
                                  const std::vector<std::size_t>& shown,
                                  PlotPage& page) {
  std::vector<std::string> bands, lines, dots;
  for (const std::size_t i : shown) {
    const Series& series = view.series[i];
    if (!series.has_losses()) continue;
    const double shift = shift_of(view, shown, i),
                 dash = std::min(0.14, 0.6 / static_cast<double>(shown.size()));
    std::string seeds, dashes;
    for (const Cell& cell : series.cells) {
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
void draw_marks(const View& view, const std::vector<std::size_t>& shown, PlotPage& page) {
  double y = page.box().top + 12;
  for (const std::size_t i : shown) {
    const Series& series = view.series[i];
    const std::string colour = fmt::format("lc rgb '{}'", series.colour);
    for (const Cell& cell : series.cells) {
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

double strip_height(const View& view, const std::vector<std::size_t>& shown) {
  const auto rows = std::count_if(shown.begin(), shown.end(),
                                  [&](std::size_t i) { return view.series[i].has_marks(); });
  return rows == 0 ? 0 : 4 + kStripRow * static_cast<double>(rows);
}

PlotHeading heading_of(const View& view) {
  PlotHeading heading{view.results.title, note_of(view)};
  std::vector<std::string> seen;
  for (const Series& series : view.series) {
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

std::vector<SideLabel> reference_labels(const View& view) {
  std::vector<SideLabel> labels;
  for (const ReferenceLine& r : view.results.references)
    if (r.loss > view.y.low && r.loss < view.y.high)
      labels.push_back({r.loss, shortened(r.name, 16) + " " + format_fixed(r.loss, 3), kGrey});
  return labels;
}

// Names of categories that do not fit beside each other are written slanted.
double slant_room(View& view, double width) {
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
  View view{results, request, {}, false, {}, {}, {}, {}, {}, 0, {}, {}};
  collect(view);
  const bool any = std::any_of(view.series.begin(), view.series.end(),
                               [](const Series& s) { return s.has_losses() || s.has_marks(); });
  if (!any) return std::nullopt;
  place_series(view);
  set_x_axis(view);
  set_y_axis(view);
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
