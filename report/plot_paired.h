#pragma once
// Arms against the baseline, seed by seed.
#include <optional>
#include <string>
#include <vector>

#include "report/figure.h"
#include "report/results.h"
#include "report/statistics.h"

namespace bitlab {

// The final validation losses of an arm minus those of its counterpart.
struct PairedRow {
  std::string label;                    // what is compared
  std::vector<std::int64_t> seeds;      // that both have done
  std::vector<double> differences;      // nats a token, one a seed
  std::optional<PairedDifference> sum;  // empty without a seed
};

// Each arm against the baseline's arm at the same point of the sweep; where only settings differ,
// against the baseline itself. Arms without a counterpart are left out.
std::vector<PairedRow> paired_rows(const Results& results);

// With one row a line for each seed and one for the mean; else a line for each row, seeds as dots.
// Means have their 95 % t interval, if there are two seeds. Nothing if no seed is done twice.
// Throws UsageError if there are more rows than a page has room for.
std::optional<Figure> paired_figure(const Results& results);

}  // namespace bitlab
