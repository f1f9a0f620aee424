#pragma once
// The curves of an experiment: mean and band over seeds, from metrics to points.
#include <cstddef>
#include <string>
#include <vector>

#include "report/results.h"

namespace bitlab {

// One step of one run.
struct StepLoss {
  double step = 0, loss = 0;
};

// One step over the runs that have it.
struct CurvePoint {
  double step = 0, mean = 0, low = 0, high = 0;
};

// Point by point mean, minimum and maximum over runs, in the order of steps; values that are not
// finite are left out. Nothing is smoothed or interpolated.
std::vector<CurvePoint> mean_curve(const std::vector<std::vector<StepLoss>>& runs);

// At most two points for each of `columns` equal parts of the steps: those with the lowest and the
// highest mean, in the order of their steps, each with the part's whole band. So no spike gets
// lost, as it would by leaving points out. A curve with at most 2 * columns points comes back as it
// is.
std::vector<CurvePoint> envelope(const std::vector<CurvePoint>& curve, std::size_t columns);

// The same curve with its band cut off at `top`: points are added where an edge of the band crosses
// `top`, then the band is limited to it. (gnuplot draws a wrong wedge where a filled band leaves
// the plot.)
std::vector<CurvePoint> clip_band(const std::vector<CurvePoint>& curve, double top);

// What is drawn of one arm: the runs that are done; of an arm without any, all runs that have rows.
struct ArmCurves {
  std::string name;
  std::string label;     // the name, and how many seeds are in it if not all
  std::size_t runs = 0;  // in the curves
  // Whether `train` is the training steps' own loss, averaged from one evaluation to the next,
  // because the training split was not evaluated.
  bool train_as_logged = false;
  std::vector<CurvePoint> val, train;
};

ArmCurves arm_curves(const ArmResult& arm);

}  // namespace bitlab
