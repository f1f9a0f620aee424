#pragma once
// Which pictures there are, and which of them an experiment gets.
#include <optional>
#include <string>
#include <vector>

#include "report/figure.h"
#include "report/results.h"

namespace bitlab {

// The kinds of figures, as `bitlab plot --kind` and the files of a report name them.
const std::vector<std::string>& figure_kinds();

// What a person asks for. What is empty is left to the kind.
struct PlotRequest {
  std::string kind = {};  // of figure_kinds(); empty: curves
  std::string x = {};     // of curves: step, tokens, seconds, flops; else a swept setting
  std::string y = {};     // of curves: a metric; of heatmap: the other setting
  std::vector<std::string> group = {};  // of curves: "arm", "seed", swept settings
  std::string band = {};                // minmax or sd
  std::vector<std::string> log = {};    // "x", "y"
};

// Nothing if the results hold nothing to draw yet. Throws UsageError for what a kind does not know.
std::optional<Figure> plot(const Results& results, const PlotRequest& request);

struct NamedFigure {
  std::string kind;  // its file is KIND.svg
  std::string caption;
  Figure figure;
};

// Those that the results have something for: scaling for a study of sizes; then, in the order of
// figure_kinds(), curves; final for a sweep or three arms; heatmap for a grid of two settings,
// parallel for other sweeps of several; paired from two seeds on; ternary. One that would need more
// room than a page has is left out.
std::vector<NamedFigure> standard_figures(const Results& results);

}  // namespace bitlab
