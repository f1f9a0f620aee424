#pragma once
// Curves over the course of training: all that decides how the picture looks.
#include <optional>
#include <utility>
#include <vector>

#include "report/curves.h"
#include "report/figure.h"

namespace bitlab {

// The losses that the vertical axis shows. It leaves out the fall of the first twentieth of the
// x axis, where the rest of the curve has enough points, so that the differences at the end can be
// seen (not with `whole`), and what lies above the highest start; a reference loss close to the
// curves is let in.
std::pair<double, double> loss_range(const std::vector<CurveLine>& lines,
                                     const std::vector<ReferenceLine>& references,
                                     bool whole = false);

// Of each group of runs the mean (line) and the band. Up to seven groups share a panel, each with a
// colour and a label at its end. More of them are coloured along the swept setting with the most
// values, a panel for each combination of the others; without such a setting each has a panel of
// its own, with the others in grey. Where that gives more than 24 panels, all are grey in one, and
// the seven that end lowest have colours. Nothing if no run has been measured yet.
std::optional<Figure> curves_figure(const Results& results, const CurveRequest& request = {});

}  // namespace bitlab
