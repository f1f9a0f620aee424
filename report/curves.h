#pragma once
// The curves of an experiment: mean and band over runs, from metrics to points.
#include <cstddef>
#include <string>
#include <vector>

#include "report/results.h"

namespace bitlab {

// One point of one run's curve. x: steps, tokens, seconds or FLOPs.
struct RunPoint {
  double x = 0, y = 0;
};

// One x over the runs that have it.
struct CurvePoint {
  double x = 0, mean = 0, low = 0, high = 0;
};

// From the lowest to the highest run, or mean -+ one sample standard deviation.
enum class Band { MinMax, Sd };

// Point by point mean and band over runs, in the order of x; values that are not finite are left
// out. Nothing is smoothed or interpolated.
std::vector<CurvePoint> mean_curve(const std::vector<std::vector<RunPoint>>& runs,
                                   Band band = Band::MinMax);

// At most two points for each of `columns` parts of the x axis, equal ones as it is drawn: those
// with the lowest and the highest mean, in the order of their x, each with the part's whole band.
// So no spike gets lost, as it would by leaving points out. A curve with at most 2 * columns points
// comes back as it is. With `log_x` all x must be above 0.
std::vector<CurvePoint> envelope(const std::vector<CurvePoint>& curve,
                                 std::size_t columns,
                                 bool log_x = false);

// The same curve with its band cut off at `low` and `high`: points are added where an edge of the
// band crosses one of them, then the band is limited. (gnuplot draws a wrong wedge where a filled
// band leaves the plot.)
std::vector<CurvePoint> clip_band(const std::vector<CurvePoint>& curve, double low, double high);

enum class CurveX { Step, Tokens, Seconds, Flops };
// Loss: of validation and, if there are few lines, of training as well.
enum class CurveY { Loss, ValLoss, TrainLoss, BatchLoss, LearningRate, GradNorm, Accuracy, F1 };

struct CurveRequest {
  CurveX x = CurveX::Step;
  CurveY y = CurveY::Loss;
  // What the runs of one line have in common: "arm" (of the file), "seed", swept settings. Empty:
  // arm and all settings.
  std::vector<std::string> group = {};
  Band band = Band::MinMax;
  bool log_x = false, log_y = false;
};

// What is drawn of one group: the runs that are done; of a group without any, all that have rows.
struct CurveLine {
  std::string name;
  std::string label;               // the name, and how many runs are in it if not all
  std::vector<std::string> group;  // the line's values of the request's keys
  std::size_t runs = 0;            // in the curves
  bool finished = true;            // at least one run is done
  // Whether `train` is the training steps' own loss, because the training split was not evaluated:
  // means over about a twentieth of the run, closed by the first row at an evaluation or behind it.
  bool train_as_logged = false;
  std::vector<CurvePoint> main;   // what the request names; of Loss that of validation
  std::vector<CurvePoint> train;  // of Loss alone
};

// The keys of a request with all names written out ("lr" as "optim.lr"). Throws UsageError for one
// that is not there.
std::vector<std::string> group_keys(const Results& results, const CurveRequest& request);

// One line a group, in the order of the plan. Throws UsageError for an unknown key or FLOPs that
// nobody counted.
std::vector<CurveLine> curve_lines(const Results& results, const CurveRequest& request);

// The most frequent number of steps that one row of a training log covers.
std::int64_t log_interval(const Results& results);

}  // namespace bitlab
