#pragma once
// How much of the baseline's accuracy each arm loses.
#include <optional>

#include "report/figure.h"
#include "report/results.h"

namespace bitlab {

// A row for each arm: the difference of its accuracy to the baseline's in points, each seed a dot,
// with the 95 % interval over texts and seeds. An arm that lies far below all others is an arrow at
// the edge. Nothing unless texts were classified by the baseline and another arm with one seed.
std::optional<Figure> accuracy_figure(const Results& results);

}  // namespace bitlab
