#pragma once
// What `bitlab run` says before the first step.
#include <string>
#include <vector>

#include "experiments/footprint.h"
#include "experiments/plan.h"

namespace bitlab {

// One page: experiment, question, results folder, data, and what each arm takes (one Footprint an
// arm).
std::string run_page(const Plan& plan,
                     const std::vector<Footprint>& footprints,
                     std::size_t threads);

}  // namespace bitlab
