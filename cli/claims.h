#pragma once
// Claims of an experiment that has not run yet.
#include "experiments/plan.h"

namespace bitlab {

// Throws UsageError if a claim's test cannot be read or names no arm of the experiment.
void check_claims(const Experiment& experiment);

}  // namespace bitlab
