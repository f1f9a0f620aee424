#include "report/plot_final_view.h"

#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/error.h"
#include "report/labels.h"
#include "report/sweep_axes.h"

namespace bitlab {

namespace {

// Fills in what the x axis is of; returns for each arm the index of its value.
std::vector<std::size_t> choose_x(FinalView& view, const std::vector<SweepAxis>& axes) {
  std::vector<std::size_t> index;
  view.x_name = view.request.x;
  if (view.x_name.empty() && !axes.empty()) {
    const SweepAxis* best = &axes.front();  // the first numeric one with the most values
    for (const SweepAxis& axis : axes)
      if (axis.numeric && (!best->numeric || axis.values.size() > best->values.size()))
        best = &axis;
    view.x_name = best->path;
  }
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
std::string settings_of(const FinalView& view,
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

void add_run(FinalView& view, FinalCell& cell, const SeedResult& run) {
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

void collect(FinalView& view) {
  const std::vector<SweepAxis> axes = sweep_axes(view.results, {view.request.x});
  const std::vector<std::size_t> index = choose_x(view, axes);
  for (std::size_t a = 0; a < view.results.arms.size(); ++a) {
    const ArmResult& arm = view.results.arms[a];
    if (index[a] >= view.x_values.size()) continue;  // has no value of this setting
    const std::string base = view.x_name == "arm" ? "" : base_of(arm),
                      settings = settings_of(view, arm, axes);
    auto series = std::find_if(view.series.begin(), view.series.end(), [&](const FinalSeries& s) {
      return s.base == base && s.settings == settings;
    });
    if (series == view.series.end()) {
      series = view.series.insert(series, {base, settings, "", {}});
      for (const double x : view.x_values) series->cells.push_back({x, {}, 0, 0});
    }
    for (const SeedResult& run : arm.runs) add_run(view, series->cells[index[a]], run);
  }
  for (const FinalSeries& series : view.series)
    for (const FinalCell& cell : series.cells) {
      if (cell.losses.empty()) continue;
      view.counts.least = std::min(view.counts.least, cell.losses.size());
      view.counts.most = std::max(view.counts.most, cell.losses.size());
    }
}

std::vector<std::string> distinct(const FinalView& view, std::string FinalSeries::*part) {
  std::vector<std::string> values;
  for (const FinalSeries& series : view.series)
    if (std::find(values.begin(), values.end(), series.*part) == values.end())
      values.push_back(series.*part);
  return values;
}

// One panel, a colour a series; if both arms and other settings tell the series apart, a panel an
// arm and a colour for the settings.
void place_series(FinalView& view) {
  const std::vector<std::string> bases = distinct(view, &FinalSeries::base),
                                 settings = distinct(view, &FinalSeries::settings);
  const bool split = bases.size() > 1 && settings.size() > 1;
  const std::size_t colours = split ? settings.size() : view.series.size();
  view.panels.resize(split ? bases.size() : 1);
  for (std::size_t i = 0; i < view.series.size(); ++i) {
    FinalSeries& series = view.series[i];
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

void set_x_axis(FinalView& view) {
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

void set_y_axis(FinalView& view) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const FinalSeries& series : view.series)
    for (const FinalCell& cell : series.cells)
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

}  // namespace

FinalView final_view(const Results& results, const FinalRequest& request) {
  FinalView view{results, request, {}, false, {}, {}, {}, {}, {}, 0, {}, {}};
  collect(view);
  if (!view.any()) return view;
  place_series(view);
  set_x_axis(view);
  set_y_axis(view);
  return view;
}

}  // namespace bitlab
