#pragma once
// The page of `bitlab run -n`.
#include <cstddef>
#include <string>
#include <vector>

#include "experiments/core_share.h"
#include "experiments/outlook.h"
#include "experiments/time_estimate.h"

namespace bitlab {

// One line a run, and a last one that counts:
//   run         arm               seed       about  what happens
//   f2963ed7-1  babyGPT lr=0.001     1        21 s  resume at step 400
//   6 runs: 4 new, 1 to resume, 1 done; about 2 min 10 s with 2 at once, by finished runs of
//   babyGPT
std::string dry_run_page(const Plan& plan,
                         const std::vector<Outlook>& outlooks,
                         const TimeEstimate& time,
                         const CoreShare& share);

}  // namespace bitlab
