#include "report/plot_ternary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "report/arm_comparison.h"
#include "report/labels.h"
#include "report/plot_page.h"
#include "report/quant_rows.h"
#include "report/sweep_axes.h"

namespace bitlab {

namespace {

constexpr std::size_t kMostColumns = 6;

// One matrix over the steps, mean over runs.
struct MatrixPoint {
  double step = 0, minus = 0, zero = 0, plus = 0, flips = 0;
};
struct Matrix {
  LayerPlace place;
  std::vector<MatrixPoint> points;
};

std::vector<Matrix> matrices_of(const std::vector<std::vector<QuantRow>>& runs) {
  std::vector<std::string> names;
  std::map<std::string, std::map<std::int64_t, std::vector<const QuantRow*>>> rows;
  for (const std::vector<QuantRow>& run : runs)
    for (const QuantRow& row : run) {
      if (rows.count(row.layer) == 0) names.push_back(row.layer);
      rows[row.layer][row.step].push_back(&row);
    }
  std::vector<Matrix> matrices;
  for (const std::string& name : names) {
    Matrix matrix{layer_place(name), {}};
    for (const auto& [step, all] : rows[name]) {
      MatrixPoint point{static_cast<double>(step)};
      const double share = 1 / static_cast<double>(all.size());
      for (const QuantRow* row : all) {
        point.minus += share * row->minus;
        point.zero += share * row->zero;
        point.plus += share * row->plus;
        point.flips += share * row->flips;
      }
      matrix.points.push_back(point);
    }
    matrices.push_back(std::move(matrix));
  }
  return matrices;
}

// A row of panels: the columns of MatrixPoint that it shows.
struct Measure {
  std::string title;
  std::vector<std::pair<double MatrixPoint::*, const char*>> parts;  // with gnuplot's dash
  bool flips = false;
};

const std::vector<Measure>& measures() {
  static const std::vector<Measure> all = {
      {"share of 0", {{&MatrixPoint::zero, ""}}},
      {"of -1, +1", {{&MatrixPoint::minus, "dt (4,3)"}, {&MatrixPoint::plus, ""}}},
      {"flips", {{&MatrixPoint::flips, ""}}, true}};
  return all;
}

PlotAxis y_axis(const std::vector<Matrix>& matrices, const Measure& measure) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const Matrix& matrix : matrices)
    for (std::size_t i = measure.flips ? 1 : 0; i < matrix.points.size(); ++i)
      for (const auto& [part, dash] : measure.parts)
        if (const double value = matrix.points[i].*part; std::isfinite(value)) {
          low = std::min(low, value);
          high = std::max(high, value);
        }
  if (!(low <= high)) low = high = 0;
  // Without a zero, flips span orders of magnitude.
  const bool log = measure.flips && low > 0 && high > 5 * low;
  if (measure.flips && !log) low = 0;
  const double room = std::max(0.08 * (high - low), 0.01 * std::max(high, 0.1));
  PlotAxis axis = log ? number_axis(low / 1.2, high * 1.2, true, 3)
                      : number_axis(measure.flips ? 0 : low - room, high + room, false, 2);
  axis.grid = true;
  return axis;
}

struct View {
  const Results& results;
  const ArmResult& arm;
  std::vector<Matrix> matrices;
  std::vector<std::string> kinds;
  std::vector<std::int64_t> blocks;
  double last_step = 1;

  std::string colour(const Matrix& matrix) const {
    if (!matrix.place.block || blocks.size() < 2) return kPalette[0];
    const auto i = std::find(blocks.begin(), blocks.end(), *matrix.place.block) - blocks.begin();
    return ramp_colour(kRampLineEnd * static_cast<double>(i) /
                       static_cast<double>(blocks.size() - 1));
  }
};

std::vector<std::string> panel_elements(const View& view,
                                        const std::string& kind,
                                        std::size_t m,
                                        PlotPage& page) {
  std::vector<std::string> elements;
  const Measure& measure = measures()[m];
  for (std::size_t i = 0; i < view.matrices.size(); ++i) {
    const Matrix& matrix = view.matrices[i];
    if (matrix.place.kind != kind) continue;
    for (std::size_t p = 0; p < measure.parts.size(); ++p) {
      std::string rows;
      for (std::size_t k = measure.flips ? 1 : 0; k < matrix.points.size(); ++k)
        rows += fmt::format("{:.8g} {:.6g}\n", matrix.points[k].step,
                            matrix.points[k].*measure.parts[p].first);
      if (rows.empty()) continue;
      const std::string name = fmt::format("m{}_{}_{}", i, m, p);
      page.data(name, rows);
      elements.push_back(fmt::format("${} using 1:2 with lines lw 1.3 {} lc rgb '{}' notitle", name,
                                     measure.parts[p].second, view.colour(matrix)));
    }
  }
  return elements;
}

PlotHeading heading_of(const View& view, std::size_t runs) {
  PlotHeading heading{view.results.title,
                      fmt::format("{}: its {} ternary matrices by kind; {}; flips: codes changed "
                                  "since the evaluation before",
                                  view.arm.name, view.matrices.size(),
                                  runs == 1 ? "one seed" : fmt::format("mean of {} seeds", runs))};
  const std::size_t shown = std::min<std::size_t>(view.blocks.size(), 7);
  if (view.blocks.size() > 1) {
    heading.key.push_back({"block"});
    for (std::size_t j = 0; j < shown; ++j) {
      const std::size_t i = j * (view.blocks.size() - 1) / (shown - 1);
      const double t = static_cast<double>(i) / static_cast<double>(view.blocks.size() - 1);
      heading.key.push_back({std::to_string(view.blocks[i]),
                             fmt::format("lw 3 lc rgb '{}'", ramp_colour(kRampLineEnd * t))});
    }
  }
  heading.key.push_back({"+1", fmt::format("lw 1.3 lc rgb '{}'", kInk)});
  // Of another width, or gnuplot's SVG takes both for one line and loses the dashes.
  heading.key.push_back({"-1", fmt::format("lw 1.31 dt (4,3) lc rgb '{}'", kInk)});
  return heading;
}

}  // namespace

const ArmResult* ternary_arm(const Results& results) {
  const ArmResult* best = nullptr;
  double lowest = std::numeric_limits<double>::infinity();
  for (const ArmResult& arm : results.arms) {
    if (arm.ternary_params == 0) continue;
    const Summary losses = summarize(final_losses(arm));
    const double mean = losses.n == 0 ? lowest : losses.mean;
    if (best == nullptr || mean < lowest) best = &arm;
    if (losses.n > 0) lowest = std::min(lowest, mean);
  }
  return best;
}

std::optional<Figure> ternary_figure(const Results& results,
                                     const ArmResult& arm,
                                     const std::vector<std::vector<QuantRow>>& runs) {
  View view{results, arm, matrices_of(runs), {}, {}};
  if (view.matrices.empty()) return std::nullopt;
  std::set<std::int64_t> blocks;
  for (const Matrix& matrix : view.matrices) {
    if (std::find(view.kinds.begin(), view.kinds.end(), matrix.place.kind) == view.kinds.end())
      view.kinds.push_back(matrix.place.kind);
    if (matrix.place.block) blocks.insert(*matrix.place.block);
    view.last_step = std::max(view.last_step, matrix.points.back().step);
  }
  view.blocks.assign(blocks.begin(), blocks.end());
  const auto started = static_cast<std::size_t>(std::count_if(
      runs.begin(), runs.end(), [](const std::vector<QuantRow>& rows) { return !rows.empty(); }));
  const PlotHeading heading = heading_of(view, started);
  const std::size_t kinds = view.kinds.size();
  const std::size_t bands = (kinds + kMostColumns - 1) / kMostColumns;
  const std::size_t columns = (kinds + bands - 1) / bands;  // no band is much shorter than another
  PanelGrid grid{columns * measures().size(), columns, 84, 12, 12};
  const double band_height = grid.height() + 46, top = heading_height(heading) + 16;
  PlotPage page(top + band_height * static_cast<double>(bands) + 14);
  std::vector<PlotAxis> y;
  for (const Measure& measure : measures()) y.push_back(y_axis(view.matrices, measure));
  for (std::size_t band = 0; band < bands; ++band) {
    const std::vector<PlotBox> boxes =
        grid.boxes(kLeftMargin + 10, page.width() - 20,
                   page.height() - top - band_height * static_cast<double>(band));
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      const std::size_t m = i / columns, k = band * columns + i % columns;
      if (k >= view.kinds.size()) continue;
      PlotAxis x = fitted_axis(0, view.last_step, false, {boxes[i].width(), grid.gap_x}, 4);
      x.tic_texts = grid.lowest(i);
      PlotAxis of_row = y[m];
      of_row.tic_texts = grid.leftmost(i);
      page.panel(boxes[i], x, of_row);
      if (band == 0 && i == 0) {
        page.heading(heading);
        page.text((kLeftMargin + page.width()) / 2, 14, "optimiser step", {.align = Align::Center});
      }
      if (m == 0)
        page.text(boxes[i].left + 2, boxes[i].top + 8,
                  shortened(view.kinds[k], static_cast<std::size_t>(boxes[i].width() / 7)),
                  {.size = kLabelFont, .bold = true});
      if (grid.leftmost(i))
        page.text(20, (boxes[i].bottom + boxes[i].top) / 2, measures()[m].title,
                  {.align = Align::Center, .upright = true});
      page.plot(panel_elements(view, view.kinds[k], m, page));
    }
  }
  return page.figure();
}

std::optional<Figure> ternary_figure(const Results& results) {
  const ArmResult* arm = ternary_arm(results);
  if (arm == nullptr) return std::nullopt;
  std::vector<std::vector<QuantRow>> runs;
  for (const SeedResult& run : arm->runs)
    if (run.done() || arm->done() == 0) runs.push_back(load_quant(run));
  return ternary_figure(results, *arm, runs);
}

}  // namespace bitlab
