#pragma once
// All points of a sweep as lines across its settings, to their final validation loss.
#include <optional>

#include "report/figure.h"
#include "report/results.h"

namespace bitlab {

// An axis each for the arm (if there are several), every swept setting and the loss; a line for
// each point of the sweep, coloured by its mean loss, the lowest on top. Points without a finished
// run are grey and end above the loss axis. Nothing if no run is done or nothing is swept.
std::optional<Figure> parallel_figure(const Results& results);

}  // namespace bitlab
