#pragma once
// How the cores of a machine are shared among the runs of a plan, and when the last of these ends.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "experiments/launcher.h"
#include "experiments/outlook.h"
#include "experiments/plan.h"

namespace bitlab {

// For each outlook the indices of those that must be done before it can begin and are still to be
// run.
using RunsBefore = std::vector<std::vector<std::size_t>>;
RunsBefore runs_before(const Plan& plan, const std::vector<Outlook>& outlooks);

// Rounds in which threads work off the shards of a batch, one each.
std::size_t shard_rounds(std::int64_t shards, std::size_t threads);

// Runs at once and threads of each, 0 in `asked` for what nobody decided. Threads: as many as there
// are cores for each run that can be in progress at once, but no more than make the rounds of some
// run fewer. Runs at once: as many as there are cores for.
CoreShare share_cores(std::size_t cores,
                      const CoreShare& asked,
                      const Experiment& experiment,
                      const Plan& plan,
                      const std::vector<Outlook>& outlooks);

// Seconds until the last of the runs ends, each begun, in their order, as soon as one of the slots
// is free and those before it are done. `seconds`: of each run, 0 for what is not run.
double seconds_until_all_end(const std::vector<double>& seconds,
                             const RunsBefore& before,
                             std::size_t slots);

}  // namespace bitlab
