#pragma once
// What an experiment left behind that is no result: runs that came to nothing, and temporary files
// of processes that are gone.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bitlab {

struct Leftover {
  std::filesystem::path path;
  std::string what;  // "run a636e21d-1, babyBitNet seed 1: failed: diverged at step 120"
  std::uintmax_t bytes = 0;
  bool run = false;       // a run folder; else a temporary file
  bool finished = false;  // a run that is done
};

struct CleanScope {
  bool interrupted = false;  // runs of the plan that the next `bitlab run` would go on with, too
  bool finished = false;     // runs that are done, too
};

// Runs that failed or are unreadable, and runs of earlier plans that are not done; more by `scope`.
// `filter` (report/filter.h) chooses among the runs; temporary files are listed only without one.
// Whatever a living process holds is left out, and so are runs that the plan's rules pruned: they
// have a result.
std::vector<Leftover> find_leftovers(const std::filesystem::path& results_folder,
                                     const std::string& filter,
                                     const CleanScope& scope);

// Deletes it, and the arm's folder if that is empty then. A run is deleted with its lock taken;
// false if a worker has that now. Throws Error if it cannot be deleted.
bool remove_leftover(const Leftover& leftover);

}  // namespace bitlab
