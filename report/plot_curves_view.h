#pragma once
// Curves on their way to a figure: which line goes into which panel, in which colour.
#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "report/curves.h"
#include "report/plot_page.h"
#include "report/results.h"

namespace bitlab {

// One line in a panel.
struct CurveStroke {
  std::size_t line;
  std::string colour;
  bool behind = false;  // only there to compare with
};

struct CurvePanel {
  std::string title;
  std::vector<CurveStroke> strokes;
};

// What is drawn, and on which axes.
struct CurveView {
  const Results& results;
  const CurveRequest& request;
  std::vector<CurveLine> lines;
  std::vector<std::string> keys;
  std::vector<CurvePanel> panels;
  std::vector<KeyEntry> key;
  PlotAxis x, y;
  bool dropped = false;  // points that a logarithmic axis has no place for

  bool is_loss() const { return request.y <= CurveY::BatchLoss; }
  bool is_score() const { return request.y >= CurveY::Accuracy; }  // more is better
  // Whether the lines are too many to be named one by one.
  bool small() const {
    const auto& strokes = panels.front().strokes;
    return panels.size() > 1 || std::count_if(strokes.begin(), strokes.end(),
                                              [](const CurveStroke& s) { return !s.behind; }) >
                                    static_cast<std::ptrdiff_t>(kPalette.size());
  }
};

// Fills in the panels and the key of the lines; see curves_figure().
void place_lines(CurveView& view);

}  // namespace bitlab
