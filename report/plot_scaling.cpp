#include "report/plot_scaling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/format.h"
#include "report/plot_page.h"
#include "report/published_models.h"
#include "report/scaling_laws.h"

namespace bitlab {

namespace {

constexpr double kLossHeight = 270, kGapHeight = 170, kBetween = 26;
constexpr std::size_t kLineDots = 96;  // of a law's line and band

std::string rgb(const char* colour) { return fmt::format("lc rgb '{}'", colour); }

// An arm's place in the palette; the baseline has the first.
const char* colour(std::size_t arm) { return kPalette[arm % kPalette.size()]; }

struct View {
  const ScalingStudy& study;
  double low = 0, high = 0, largest = 0;  // of the sizes shown, and of those trained

  // The sizes of a line, from the smallest to the largest; the end of what was trained is one.
  std::vector<double> sizes() const {
    std::vector<double> all = {largest};
    for (std::size_t i = 0; i < kLineDots; ++i)
      all.push_back(low * std::pow(high / low, static_cast<double>(i) / (kLineDots - 1)));
    std::sort(all.begin(), all.end());
    return all;
  }
};

View view_of(const ScalingStudy& study) {
  View view{study, study.baseline.points.front().losses.size, published_models().back().params,
            study.largest()};
  for (const ScalingArm& arm : study.others) {
    view.low = std::min(view.low, arm.points.front().losses.size);
    view.largest = std::max(view.largest, arm.points.back().losses.size);
  }
  view.low /= 1.6;
  view.high = 1.6 * std::max(view.high, view.largest);
  return view;
}

PlotAxis size_axis(const View& view, bool texts) {
  PlotAxis axis = number_axis(view.low, view.high, true, 6);
  axis.tic_texts = texts;
  for (Tic& tic : axis.tics)  // models have billions of parameters
    if (tic.text.ends_with('G')) tic.text.back() = 'B';
  axis.grid = true;
  return axis;
}

// A law as a line with its band; whole where it was trained, dashed beyond.
struct Line {
  std::string rows;            // size, value, low, high
  double low = 1e9, high = 0;           // of the band
  double least = 1e9, greatest = -1e9;  // of the values
};

template <class Of>
Line line_of(const View& view, const Of& of) {
  Line line;
  for (const double size : view.sizes()) {
    const LawFigure figure = of(size);
    line.rows += fmt::format("{:.6g} {:.6g} {:.6g} {:.6g}\n", size, figure.value,
                             figure.interval.low, figure.interval.high);
    line.low = std::min(line.low, figure.interval.low);
    line.high = std::max(line.high, figure.interval.high);
    line.least = std::min(line.least, figure.value);
    line.greatest = std::max(line.greatest, figure.value);
  }
  return line;
}

// The parts of gnuplot's plot command for a line that is in the block `name`.
void add_line(const View& view,
              const std::string& name,
              const PlotAxis& y,
              const char* hue,
              std::vector<std::string>& bands,
              std::vector<std::string>& lines) {
  const auto clamped = [&](int column) {
    return fmt::format("(${0} < {1:.6g} ? {1:.6g} : ${0} > {2:.6g} ? {2:.6g} : ${0})", column,
                       y.low, y.high);
  };
  bands.push_back(fmt::format("${} using 1:{}:{} with filledcurves fc rgb '{}' fs transparent "
                              "solid 0.16 noborder notitle",
                              name, clamped(3), clamped(4), hue));
  lines.push_back(fmt::format("${} using ($1 <= {:.6g} ? $1 : NaN):2 with lines lw 1.8 {} notitle",
                              name, view.largest, rgb(hue)));
  lines.push_back(
      fmt::format("${} using ($1 >= {:.6g} ? $1 : NaN):2 with lines lw 1.4 dt (5,4) {} notitle",
                  name, view.largest, rgb(hue)));
}

void join(std::vector<std::string>& all, const std::vector<std::string>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

// Names of the published models, upright at their sizes.
void mark_sizes(PlotPage& page, bool names) {
  for (const PublishedModel& model : published_models()) {
    const double x = page.x_of(model.params);
    page.line(x, page.box().bottom, x, page.box().top, std::string(kDots) + " " + rgb(kFaint));
    if (names)
      page.text(x - 6, page.box().top - 6, model.name,
                {.size = 10, .colour = kGrey, .align = Align::Right, .upright = true});
  }
}

void draw_losses(const View& view,
                 const std::vector<const ScalingArm*>& arms,
                 const PlotHeading& heading,
                 const std::string& unit,
                 const PlotBox& box,
                 PlotPage& page) {
  std::vector<Line> laws;
  double low = 1e9, high = 0;
  for (const ScalingArm* arm : arms) {
    laws.push_back(line_of(view, [&](double size) { return loss_at(*arm, size); }));
    low = std::min(low, laws.back().low);
    high = std::max(high, laws.back().high);
    for (const SizePoint& point : arm->points)
      for (const double loss : point.losses.losses) high = std::max(high, loss);
  }
  const double room = 0.04 * (high - low);
  PlotAxis y = number_axis(std::max(0.0, low - room), high + room, false, 4);
  y.title = fmt::format("validation loss (nats per {})", unit);
  y.grid = true;
  page.panel(box, size_axis(view, false), y);
  page.heading(heading);
  mark_sizes(page, true);
  std::vector<std::string> bands, lines, dots;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    const std::string name = fmt::format("law{}", i);
    page.data(name, laws[i].rows);
    add_line(view, name, y, colour(i), bands, lines);
    std::string seeds;
    for (const SizePoint& point : arms[i]->points)
      for (const double loss : point.losses.losses)
        seeds += fmt::format("{:.6g} {:.6g}\n", point.losses.size, loss);
    page.data(fmt::format("seeds{}", i), seeds);
    dots.push_back(
        fmt::format("$seeds{} using 1:2 with points pt 7 ps 0.45 {} notitle", i, rgb(colour(i))));
  }
  join(bands, lines);
  join(bands, dots);
  page.plot(bands);
}

void draw_gaps(const View& view, const std::string& unit, const PlotBox& box, PlotPage& page) {
  std::vector<Line> laws;
  double low = 0, high = 0;  // of what was measured and of the laws; bands are cut
  const auto reach = [&](double gap) {
    low = std::min(low, gap);
    high = std::max(high, gap);
  };
  for (const ScalingArm& arm : view.study.others) {
    laws.push_back(line_of(view, [&](double size) { return gap_at(view.study, arm, size); }));
    reach(laws.back().least);
    reach(laws.back().greatest);
    for (const MeasuredGap& gap : measured_gaps(view.study, arm)) reach(gap.gap);
    // The band is shown whole up to three times what else there is to see.
    const double most = 3 * std::max(high, -low);
    reach(std::max(-most, laws.back().low));
    reach(std::min(most, laws.back().high));
  }
  const double room = 0.06 * (high - low);
  PlotAxis y = number_axis(low - room, high + room, false, 3);
  y.title = fmt::format("gap (nats per {})", unit);
  y.grid = true;
  PlotAxis x = size_axis(view, true);
  x.title = "parameters outside of the embedding";
  page.panel(box, x, y);
  mark_sizes(page, false);
  page.line(box.left, page.y_of(0), box.right, page.y_of(0), "lw 1.2 " + rgb(kInk));
  std::vector<std::string> bands, lines, dots;
  for (std::size_t i = 0; i < laws.size(); ++i) {
    const std::string name = fmt::format("gap{}", i);
    page.data(name, laws[i].rows);
    add_line(view, name, y, colour(i + 1), bands, lines);
    std::string rows;
    for (const MeasuredGap& gap : measured_gaps(view.study, view.study.others[i]))
      rows += fmt::format("{:.6g} {:.6g}\n", gap.size, gap.gap);
    if (rows.empty()) continue;
    page.data(fmt::format("measured{}", i), rows);
    dots.push_back(fmt::format("$measured{} using 1:2 with points pt 7 ps 0.6 {} notitle", i,
                               rgb(colour(i + 1))));
  }
  join(bands, lines);
  join(bands, dots);
  page.plot(bands);
}

PlotHeading heading_of(const Results& results, const std::vector<const ScalingArm*>& arms) {
  PlotHeading heading{results.title,
                      "Data: " + results.data.source +
                          "; dots: seeds, below mean gaps; bands: 95 % by bootstrap; dashed: "
                          "beyond what was trained"};
  for (std::size_t i = 0; i < arms.size(); ++i)
    heading.key.push_back({fmt::format("{}: {} + {} / N^{}", arms[i]->name,
                                       format_fixed(arms[i]->law.floor, 2),
                                       short_number(arms[i]->law.amplitude),
                                       format_fixed(arms[i]->law.exponent, 2)),
                           "lw 2.5 " + rgb(colour(i)), "pt 7 ps 0.5 " + rgb(colour(i))});
  return heading;
}

}  // namespace

std::optional<Figure> scaling_figure(const Results& results) {
  const std::optional<ScalingStudy> study = scaling_study(results);
  if (!study) return std::nullopt;
  std::vector<const ScalingArm*> arms = {&study->baseline};
  for (const ScalingArm& arm : study->others) arms.push_back(&arm);
  const View view = view_of(*study);
  const PlotHeading heading = heading_of(results, arms);
  const double top = heading_height(heading);
  PlotPage page(top + kLossHeight + kBetween + kGapHeight + kBottomMargin);
  const double right = page.width() - 24, gap_top = kBottomMargin + kGapHeight;
  draw_losses(view, arms, heading, results.data.unit,
              {kLeftMargin, right, gap_top + kBetween, gap_top + kBetween + kLossHeight}, page);
  draw_gaps(view, results.data.unit, {kLeftMargin, right, kBottomMargin, gap_top}, page);
  return page.figure();
}

}  // namespace bitlab
