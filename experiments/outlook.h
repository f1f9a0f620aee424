#pragma once
// What a command is going to do with each run of its plan, and why, before it does anything.
#include <cstdint>
#include <string>
#include <vector>

#include "experiments/launcher.h"
#include "experiments/plan.h"

namespace bitlab {

enum class Fate {
  New,
  Resume,     // interrupted: goes on from its last checkpoint, or from step 0 without one
  Retry,      // failed, and is tried again
  Redo,       // done, and is done again
  Done,       // stays
  Failed,     // stays
  Pruned,     // stays
  Elsewhere,  // a living worker has it
};

struct Outlook {
  PlannedRun run;
  Fate fate = Fate::New;
  std::int64_t step = 0;  // that it begins with, or where a worker elsewhere is
  std::string reason;     // of a failure or of pruning
  std::string build;      // of what is done: the commit of another binary that finished it

  bool to_run() const { return fate <= Fate::Redo; }
};

struct OutlookOptions {
  bool retry_failed = false;
  bool rerun = false;  // what is done is done again
  bool prune = false;  // what was pruned stays; without it, it goes on
};

// In the order of the plan. Reads the run folders and changes nothing.
std::vector<Outlook> look_ahead(const Plan& plan,
                                const Launcher& launcher,
                                const OutlookOptions& options);

// "resume at step 400", "failed: diverged at step 120; --retry-failed tries again"
std::string describe(const Outlook& outlook);

// "12 runs were finished by build ba4707d0c0de, this is 5b366493dff7; --rerun to redo them": one
// line an other build.
std::vector<std::string> other_builds(const std::vector<Outlook>& outlooks);

// For --rerun: moves what is done to seed-K.old, so that the run begins anew, and its result is
// there until the new one is finished and longer. Only a finished result replaces an older
// seed-K.old. Returns how many were moved. Throws Error if a folder cannot be moved.
std::size_t set_aside(const std::vector<Outlook>& outlooks);

}  // namespace bitlab
