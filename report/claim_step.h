#pragma once
// One step of a claim's test, "A < B", held against what was measured.
#include <string>

#include "report/claim_test.h"
#include "report/claims.h"
#include "report/results.h"

namespace bitlab {

struct StepResult {
  Judgement judgement = Judgement::Undecided;
  std::string measured;  // one sentence
};

// `figure`: of report/run_metrics.h, or law@SIZE. Throws UsageError for a figure, an arm or a law
// that is not there.
StepResult test_step(const ClaimStep& step, const std::string& figure, const Results& results);

}  // namespace bitlab
