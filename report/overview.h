#pragma once
// How an experiment stands as a whole: its runs counted by state, and what goes on now.
#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "report/index.h"
#include "report/text_table.h"

namespace bitlab {

struct Overview {
  std::string name, title;      // name: of the results folder
  std::vector<RunRecord> runs;  // of the last plan
  std::size_t earlier = 0;      // runs of earlier plans beside them
  std::string problem;          // why the plan cannot be read, else empty

  std::size_t count(SeedState state) const;
};

// Of one results folder. A plan that cannot be read is said in `problem`, not thrown.
Overview overview(const std::filesystem::path& results_folder);

// One line an experiment, for `bitlab ls`.
TextTable overview_table(const std::vector<Overview>& overviews);

// "12 of 48 done, 2 running, 33 queued, 1 failed"
std::string count_states(const Overview& overview);

// Seconds until the runs that are running and queued have ended, with as many at once as are
// running now: what the running ones say, and for those to come the time of their arm's finished
// runs, or of all finished and running ones, by steps. Negative if nothing runs or nothing is
// known.
double seconds_left(const Overview& overview);

// What `bitlab status` shows of one experiment: a line for the whole and a table of what runs.
std::string status_text(const Overview& overview);

}  // namespace bitlab
