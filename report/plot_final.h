#pragma once
// The final validation loss against a swept setting.
#include <optional>
#include <string>

#include "report/curves.h"
#include "report/figure.h"
#include "report/results.h"

namespace bitlab {

struct FinalRequest {
  // A swept setting, or "arm". Empty: the numeric setting with the most values, else the first,
  // else the arm.
  std::string x = {};
  Band band = Band::MinMax;
  bool log_x = false, log_y = false;  // x is also logarithmic if its values span a factor of 8
};

// A line and band for each arm (and value of the other settings), each seed a dot. Runs that failed
// are crosses above the frame, counted; pruned ones are rings. What ends above where it started is
// a triangle at the upper edge. Nothing if no run is done and none failed. Throws UsageError for a
// setting that is not swept.
std::optional<Figure> final_figure(const Results& results, const FinalRequest& request = {});

}  // namespace bitlab
