#include "report/figures.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/config/suggest.h"
#include "report/plot_accuracy.h"
#include "report/plot_curves.h"
#include "report/plot_final.h"
#include "report/plot_heatmap.h"
#include "report/plot_paired.h"
#include "report/plot_parallel.h"
#include "report/plot_scaling.h"
#include "report/plot_ternary.h"
#include "report/sweep_axes.h"

namespace bitlab {

namespace {

// The place of `value` among `names`. Throws UsageError that lists them.
std::size_t choice(const std::string& what,
                   const std::string& value,
                   const std::vector<std::string>& names) {
  const auto found = std::find(names.begin(), names.end(), value);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  const std::string guess = nearest(value, names);
  throw UsageError("plot", what + " must be one of " + list + ", but got '" + value + "'",
                   guess.empty() ? "" : "did you mean '" + guess + "'?");
}

Band band_of(const PlotRequest& request) {
  const std::vector<std::string> names = {"minmax", "sd"};
  return static_cast<Band>(request.band.empty() ? 0 : choice("the band", request.band, names));
}

bool is_log(const PlotRequest& request, const std::string& axis) {
  for (const std::string& name : request.log) choice("a logarithmic axis", name, {"x", "y"});
  return std::find(request.log.begin(), request.log.end(), axis) != request.log.end();
}

void refuse(const PlotRequest& request, const char* option, bool given) {
  if (given)
    throw UsageError("plot", std::string(option) + " must be left out, as figures of the kind " +
                                 request.kind + " have none");
}

std::optional<Figure> plot_curves(const Results& results, const PlotRequest& request) {
  CurveRequest curves;
  if (!request.x.empty())
    curves.x = static_cast<CurveX>(choice("x", request.x, {"step", "tokens", "seconds", "flops"}));
  if (!request.y.empty())
    curves.y = static_cast<CurveY>(choice(
        "y", request.y,
        {"loss", "val_loss", "train_loss", "batch_loss", "lr", "grad_norm", "accuracy", "f1"}));
  curves.group = request.group;
  curves.band = band_of(request);
  curves.log_x = is_log(request, "x");
  curves.log_y = is_log(request, "y");
  return curves_figure(results, curves);
}

std::optional<Figure> plot_final(const Results& results, const PlotRequest& request) {
  refuse(request, "--y", !request.y.empty() && request.y != "val_loss");
  refuse(request, "--group", !request.group.empty());
  return final_figure(results,
                      {request.x, band_of(request), is_log(request, "x"), is_log(request, "y")});
}

// What the kinds below all have none of.
void refuse_curve_options(const PlotRequest& request) {
  refuse(request, "--group", !request.group.empty());
  refuse(request, "--band", !request.band.empty());
  refuse(request, "--log", !request.log.empty());
}

std::optional<Figure> plot_heatmap(const Results& results, const PlotRequest& request) {
  refuse_curve_options(request);
  return heatmap_figure(results, request.x, request.y);
}

template <std::optional<Figure> (*figure)(const Results&)>
std::optional<Figure> plot_as_is(const Results& results, const PlotRequest& request) {
  refuse_curve_options(request);
  refuse(request, "--x", !request.x.empty());
  refuse(request, "--y", !request.y.empty());
  return figure(results);
}

struct Kind {
  const char* name;
  std::optional<Figure> (*plot)(const Results& results, const PlotRequest& request);
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      {"curves", plot_curves},
      {"final", plot_final},
      {"heatmap", plot_heatmap},
      {"parallel", plot_as_is<parallel_figure>},
      {"paired", plot_as_is<paired_figure>},
      {"scaling", plot_as_is<scaling_figure>},
      {"accuracy", plot_as_is<accuracy_figure>},
      {"ternary", plot_as_is<ternary_figure>},
  };
  return all;
}

}  // namespace

const std::vector<std::string>& figure_kinds() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const Kind& kind : kinds()) list.emplace_back(kind.name);
    return list;
  }();
  return names;
}

std::optional<Figure> plot(const Results& results, const PlotRequest& request) {
  PlotRequest named = request;
  if (named.kind.empty()) named.kind = figure_kinds().front();
  return kinds()[choice("the kind", named.kind, figure_kinds())].plot(results, named);
}

namespace {

// A sweep of two settings over a grid can be seen whole; more of them, or scattered points, cannot.
bool is_grid(const Results& results, const std::vector<SweepAxis>& axes) {
  return axes.size() == 2 && fills_grid(results, axes[0], axes[1]);
}

bool has_intervals(const Results& results) {
  const std::vector<PairedRow> rows = paired_rows(results);
  return std::any_of(rows.begin(), rows.end(),
                     [](const PairedRow& row) { return row.sum && row.sum->interval; });
}

}  // namespace

std::vector<NamedFigure> standard_figures(const Results& results) {
  std::vector<NamedFigure> figures;
  const auto add = [&](const char* kind, const char* caption, auto draw_figure) {
    try {
      if (std::optional<Figure> figure = draw_figure(results))
        figures.push_back({kind, caption, std::move(*figure)});
    } catch (const UsageError&) {  // more than a page has room for
    }
  };
  const std::vector<SweepAxis> axes = sweep_axes(results);
  // The answer to what such a study asks, so that a page with little room has it.
  add("scaling", "Laws of scaling and the gap between them",
      [](auto& r) { return scaling_figure(r); });
  add("accuracy", "Accuracy against the baseline's", [](auto& r) { return accuracy_figure(r); });
  add("curves", "Loss over the course of training", [](auto& r) { return curves_figure(r); });
  if (!axes.empty() || results.arms.size() > 2)
    add("final", axes.empty() ? "Final loss of each arm" : "Final loss against a swept setting",
        [](auto& r) { return final_figure(r); });
  if (is_grid(results, axes))
    add("heatmap", "Final loss over both settings", [](auto& r) { return heatmap_figure(r); });
  else if (axes.size() > 1)
    add("parallel", "All points of the sweep", [](auto& r) { return parallel_figure(r); });
  if (has_intervals(results))
    add("paired", "Differences to the baseline, seed by seed",
        [](auto& r) { return paired_figure(r); });
  add("ternary", "Ternary weights over the course of training",
      [](auto& r) { return ternary_figure(r); });
  return figures;
}

}  // namespace bitlab
