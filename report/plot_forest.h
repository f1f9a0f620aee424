#pragma once
// Rows of a forest plot: of each a label, dots, a mean and its interval, and what they say in
// words.
#include <optional>
#include <string>
#include <vector>

#include "report/plot_page.h"
#include "report/statistics.h"

namespace bitlab {

struct ForestLine {
  std::string label, text;  // left and right of the panel
  std::vector<double> dots;
  std::optional<double> mean = {};
  std::optional<Interval> interval = {};
};

// A page of these rows around a line at 0. `axis` is that of the values; what lies beyond it is cut
// and gets an arrow.
PlotPage forest_page(const PlotHeading& heading,
                     const PlotAxis& axis,
                     const std::vector<ForestLine>& lines);

// "+0.118": positive numbers have a sign too.
std::string signed_number(double x, int digits);

// "+0.118 [+0.100, +0.136]".
std::string with_interval(double mean, const Interval& interval, int digits);

}  // namespace bitlab
