#pragma once
// The loss curves as a gnuplot script: all that decides how the picture looks.
#include <string>
#include <utility>
#include <vector>

#include "report/curves.h"
#include "report/results.h"

namespace bitlab {

// The losses that the vertical axis shows. It leaves out the fall of the first twentieth of the
// steps, where the rest of the curve has enough points, so that the differences at the end can be
// seen; a reference loss close to the curves is let in.
std::pair<double, double> loss_range(const std::vector<ArmCurves>& arms,
                                     const std::vector<ReferenceLine>& references);

// For draw(): of each arm the mean over seeds (line) and the range over seeds (band), validation
// solid, training dashed; reference losses as dotted lines. Empty if no run has been evaluated yet.
std::string curves_script(const Results& results);

}  // namespace bitlab
