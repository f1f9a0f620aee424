#include "report/plot_parallel.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/format.h"
#include "report/labels.h"
#include "report/arm_comparison.h"
#include "report/plot_page.h"
#include "report/statistics.h"
#include "report/sweep_axes.h"

namespace bitlab {

namespace {

constexpr double kAbove = 1.08;  // where lines without a loss end, in heights of the axes

// An upright axis with its tics at fractions of the height.
struct Upright {
  std::string title;
  std::vector<Tic> tics;
};

struct Track {
  std::vector<double> heights;  // at each axis
  std::optional<double> loss;
};

Upright upright(const std::string& title, const std::vector<std::string>& categories) {
  Upright axis{title, {}};
  for (std::size_t i = 0; i < categories.size(); ++i)
    axis.tics.push_back({(static_cast<double>(i) + 0.5) / static_cast<double>(categories.size()),
                         shortened(categories[i], 14)});
  return axis;
}

PlotAxis scale_of(const SweepAxis& axis) {
  return number_axis(*axis.values.front().number, *axis.values.back().number, axis.log(), 5);
}

Upright upright(const SweepAxis& axis) {
  if (!axis.numeric) {
    std::vector<std::string> texts;
    for (const SweptValue& value : axis.values) texts.push_back(value_text(value.text));
    return upright(axis.name, texts);
  }
  const PlotAxis scale = scale_of(axis);
  Upright out{axis.name, {}};
  if (axis.values.size() <= 8)
    for (const SweptValue& value : axis.values)
      out.tics.push_back({scale.fraction(*value.number), value_text(value.text)});
  for (std::size_t i = 1; i < out.tics.size(); ++i)
    if (out.tics[i].at - out.tics[i - 1].at < 0.055) {
      out.tics.clear();
      break;
    }
  if (out.tics.empty())
    for (const Tic& tic : scale.tics) out.tics.push_back({scale.fraction(tic.at), tic.text});
  return out;
}

struct View {
  std::vector<Upright> axes;
  std::vector<Track> tracks;  // the highest loss first, before them those without
  PlotAxis loss;
  double bright = 0;  // the loss from which on lines have the last colour

  std::string colour(double of) const {
    const double range = std::max(bright - loss.low, 1e-9);
    return ramp_colour(kRampLineEnd * std::min((of - loss.low) / range, 1.0));
  }
  std::size_t failed = 0;  // points without a finished run
};

std::optional<double> mean_loss(const ArmResult& arm) {
  const Summary losses = summarize(final_losses(arm));
  return losses.n == 0 ? std::nullopt : std::optional(losses.mean);
}

View view_of(const Results& results) {
  View view;
  const std::vector<SweepAxis> axes = sweep_axes(results);
  const std::vector<std::string> bases = base_arms(results);
  std::vector<double> losses;
  double low = INFINITY, high = -INFINITY;
  for (const ArmResult& arm : results.arms)
    if (const auto loss = mean_loss(arm)) {
      losses.push_back(*loss);
      low = std::min(low, *loss);
      high = std::max(high, *loss);
    }
  view.bright = upper_fence(losses);
  if (high <= low) high = low + 0.01;
  view.loss = number_axis(low, high, false, 5);
  if (bases.size() > 1) view.axes.push_back(upright("arm", bases));
  for (const SweepAxis& axis : axes) view.axes.push_back(upright(axis));
  Upright last{"final loss", {}};
  for (const Tic& tic : view.loss.tics) last.tics.push_back({view.loss.fraction(tic.at), tic.text});
  view.axes.push_back(last);
  for (const ArmResult& arm : results.arms) {
    Track track{{}, mean_loss(arm)};
    if (bases.size() > 1)
      track.heights.push_back(
          view.axes[0]
              .tics[static_cast<std::size_t>(std::find(bases.begin(), bases.end(), base_of(arm)) -
                                             bases.begin())]
              .at);
    bool complete = true;
    for (const SweepAxis& axis : axes) {
      const std::size_t i = axis.index(arm);
      complete &= i < axis.values.size();
      if (!complete) break;
      track.heights.push_back(axis.numeric ? scale_of(axis).fraction(*axis.values[i].number)
                                           : (static_cast<double>(i) + 0.5) /
                                                 static_cast<double>(axis.values.size()));
    }
    if (!complete) continue;  // an arm that the sweep leaves alone
    track.heights.push_back(track.loss ? view.loss.fraction(*track.loss) : kAbove);
    view.failed += !track.loss;
    view.tracks.push_back(std::move(track));
  }
  std::stable_sort(view.tracks.begin(), view.tracks.end(), [](const Track& a, const Track& b) {
    return a.loss.value_or(INFINITY) > b.loss.value_or(INFINITY);
  });
  return view;
}

void draw_axis(const Upright& axis, double x, bool last, PlotPage& page) {
  const double bottom = page.y_of(0), top = page.y_of(1);
  page.line(x, bottom, x, top, fmt::format("front lw 1.2 lc rgb '{}'", kGrey));
  page.text(x, bottom - 22, axis.title, {.size = 12, .align = Align::Center});
  for (const Tic& tic : axis.tics) {
    const double y = page.y_of(tic.at);
    page.line(x, y, last ? x + 4 : x - 4, y, fmt::format("front lw 1 lc rgb '{}'", kGrey));
    page.text(
        last ? x + 8 : x - 8, y, tic.text,
        {.size = 10, .align = last ? Align::Left : Align::Right, .front = true, .boxed = true});
  }
}

}  // namespace

std::optional<Figure> parallel_figure(const Results& results) {
  const bool any = std::any_of(results.arms.begin(), results.arms.end(),
                               [](const ArmResult& arm) { return mean_loss(arm).has_value(); });
  if (!any || sweep_axes(results).empty()) return std::nullopt;
  const View view = view_of(results);
  PlotHeading heading{
      results.title,
      fmt::format(
          "Data: {}; a line each for {} points of the sweep, coloured by "
          "the mean loss over seeds{}",
          results.data.source, view.tracks.size(),
          view.failed > 0 ? fmt::format("; grey: {} without a finished run", view.failed) : "")};
  for (const double t : {0.0, 0.5, 1.0}) {
    const double loss = std::lerp(view.loss.low, view.bright, t);
    heading.key.push_back({(t == 0   ? "lowest "
                            : t == 1 ? "from "
                                     : "") +
                               format_fixed(loss, 3),
                           fmt::format("lw 3.5 lc rgb '{}'", view.colour(loss))});
  }
  PlotPage page(kFigureHeight);
  PlotAxis x, y;
  x.high = static_cast<double>(view.axes.size() - 1);
  y.high = kAbove + 0.02;
  page.panel({90, page.width() - 70, 52, page.height() - heading_height(heading)}, x, y,
             Frame::None);
  page.heading(heading);
  std::vector<std::string> elements;
  for (std::size_t i = 0; i < view.tracks.size(); ++i) {
    const Track& track = view.tracks[i];
    std::string rows;
    for (std::size_t k = 0; k < track.heights.size(); ++k)
      rows += fmt::format("{} {:.6g}\n", k, track.heights[k]);
    page.data(fmt::format("t{}", i), rows);
    const std::string style =
        track.loss ? fmt::format("lw {} lc rgb '{}'", view.tracks.size() > 60 ? 0.9 : 1.5,
                                 view.colour(*track.loss))
                   : fmt::format("lw 0.9 dt (2,3) lc rgb '{}'", kFaint);
    elements.push_back(fmt::format("$t{} using 1:2 with lines {} notitle", i, style));
  }
  for (std::size_t k = 0; k < view.axes.size(); ++k)
    draw_axis(view.axes[k], page.x_of(static_cast<double>(k)), k + 1 == view.axes.size(), page);
  if (view.failed > 0)
    page.text(page.x_of(x.high) + 8, page.y_of(kAbove), "failed", {.size = 10, .colour = kGrey});
  page.plot(elements);
  return page.figure();
}

}  // namespace bitlab
