#pragma once
// Runs that classified texts, with what they said of each.
#include <cstdint>
#include <string>
#include <vector>

#include "core/io/metrics.h"
#include "report/results.h"

namespace bitlab {

struct JudgedRun {
  const ArmResult* arm = nullptr;
  const SeedResult* run = nullptr;
  std::vector<PredictionRow> predictions;  // of the last step
  std::vector<std::string> labels;         // names; may be fewer than there are labels

  std::size_t label_count() const;
  std::string label_name(std::size_t label) const;  // "label 2" where it has none
};

// Those that are done, in the order of the plan. Empty unless texts were classified. They point
// into `results`. Runs whose metrics are damaged are left out: their state tells.
std::vector<JudgedRun> judged_runs(const Results& results);

// The baseline's run of the same seed; null if there is none, or if this is one of it.
const JudgedRun* baseline_of(const std::vector<JudgedRun>& all,
                             const JudgedRun& run,
                             const std::string& baseline);

}  // namespace bitlab
