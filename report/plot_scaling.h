#pragma once
// Laws of scaling: loss against size, and the gap to the baseline.
#include <optional>

#include "report/figure.h"
#include "report/results.h"

namespace bitlab {

// Above, each seed a dot, each arm's law a line with its band, dashed beyond the sizes that were
// trained, up to the largest published model. Below, the gaps to the baseline: measured ones as
// dots, those of the laws as lines with bands; where one ternary arm stands against full precision,
// the published gaps as well, in percent of the loss. Nothing without a scaling_study().
std::optional<Figure> scaling_figure(const Results& results);

}  // namespace bitlab
