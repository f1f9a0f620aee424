#pragma once
// What becomes of ternary weights over the course of training.
#include <optional>
#include <utility>
#include <vector>

#include "core/io/metrics.h"
#include "report/figure.h"
#include "report/results.h"

namespace bitlab {

// The ternary arm with the lowest mean final loss among those with finished runs, else the first
// that has started; null if there is none.
const ArmResult* ternary_arm(const Results& results);

// For each kind of matrix a column: the share of zeros, those of -1 and +1, and the flips since the
// row before, a line for each block, mean over runs. Nothing without rows.
std::optional<Figure> ternary_figure(const Results& results,
                                     const ArmResult& arm,
                                     const std::vector<std::vector<QuantRow>>& runs);

// Of ternary_arm(), reading its runs. Nothing if there is none or it has no rows.
std::optional<Figure> ternary_figure(const Results& results);

}  // namespace bitlab
