#pragma once
// Each arm's accuracy, against that of the baseline's runs of the same seeds.
#include <optional>
#include <vector>

#include "report/classification_statistics.h"
#include "report/judged_runs.h"

namespace bitlab {

struct AccuracyRow {
  const ArmResult* arm = nullptr;
  std::optional<double> accuracy = {};         // mean over the runs that are done
  const ArmResult* baseline = nullptr;         // null: it is this arm, or no seed is done in both
  double common = 0, baseline_common = 0;      // of the two, mean over the seeds done in both
  std::vector<double> differences = {};        // to it, a seed each
  std::optional<AccuracyDifference> sum = {};  // empty: they judged other texts
};

// An arm each, in the order of the plan. `all`: judged_runs(results).
std::vector<AccuracyRow> accuracy_rows(const Results& results, const std::vector<JudgedRun>& all);

}  // namespace bitlab
