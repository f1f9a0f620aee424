#include "report/figures.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/config/suggest.h"
#include "report/plot_curves.h"
#include "report/plot_final.h"
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
        "y", request.y, {"loss", "val_loss", "train_loss", "batch_loss", "lr", "grad_norm"}));
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

struct Kind {
  const char* name;
  std::optional<Figure> (*plot)(const Results& results, const PlotRequest& request);
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {{"curves", plot_curves}, {"final", plot_final}};
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

std::vector<NamedFigure> standard_figures(const Results& results) {
  std::vector<NamedFigure> figures;
  const auto add = [&](const char* kind, const char* caption, std::optional<Figure> figure) {
    if (figure) figures.push_back({kind, caption, std::move(*figure)});
  };
  add("curves", "Loss over the course of training", curves_figure(results));
  if (!sweep_axes(results).empty())
    add("final", "Final loss against a swept setting", final_figure(results));
  return figures;
}

}  // namespace bitlab
