#pragma once
// Final losses on their way to a figure: which runs make a series, where each stands, and on which
// axes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "report/plot_final.h"
#include "report/plot_page.h"
#include "report/results.h"

namespace bitlab {

// The runs of a series at one x.
struct FinalCell {
  double x = 0;
  std::vector<double> losses;  // of runs that are done
  std::size_t failed = 0, pruned = 0;
};

struct FinalSeries {
  std::string base, settings, colour;  // base: empty if the x axis is of arms
  std::vector<FinalCell> cells;        // in the order of x

  bool has_losses() const {
    return std::any_of(cells.begin(), cells.end(),
                       [](const FinalCell& c) { return !c.losses.empty(); });
  }
  bool has_marks() const {
    return std::any_of(cells.begin(), cells.end(),
                       [](const FinalCell& c) { return c.failed + c.pruned > 0; });
  }
};

struct FinalCounts {
  std::size_t failed = 0, pruned = 0, unfinished = 0, least = SIZE_MAX, most = 0;
};

struct FinalView {
  const Results& results;
  const FinalRequest& request;
  std::string x_name;  // "optim.lr", "arm"
  bool numeric = false;
  std::vector<std::string> x_texts;  // of all values
  std::vector<double> x_values;      // their places
  std::vector<FinalSeries> series;
  std::vector<std::vector<std::size_t>> panels;  // series of each
  FinalCounts counts;
  double start = 0;  // highest loss at the first evaluation
  PlotAxis x, y;

  bool any() const {
    return std::any_of(series.begin(), series.end(),
                       [](const FinalSeries& s) { return s.has_losses() || s.has_marks(); });
  }
};

// All but the drawing of final_figure(): series, panels, colours and axes. Without any series
// nothing but the series is filled in.
FinalView final_view(const Results& results, const FinalRequest& request);

}  // namespace bitlab
