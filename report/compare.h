#pragma once
// One row a run: what was set differently, and what came of it.
#include <string>
#include <vector>

#include "report/index.h"
#include "report/value_table.h"

namespace bitlab {

// The settings that a sweep varies, in the order of its axes, and after them those that have more
// than one value over the runs, by path. A setting that only some runs have differs only if these
// do not agree on it.
std::vector<std::string> swept_settings(const std::vector<RunRecord>& runs);
std::vector<std::string> differing_settings(const std::vector<RunRecord>& runs);

// By the keys of "KEY,-KEY" (report/run_values.h), the first one counting most; "-" turns the order
// round. Runs without a value come last, equal ones keep their order. Throws UsageError.
void sort_runs(std::vector<RunRecord>& runs, const std::string& keys);

// Columns: id, arm, seed, differing_settings(), state, step, losses, speed, time, reason.
// `only_changed` leaves out the columns with one value in all rows.
ValueTable compare_table(const std::vector<RunRecord>& runs, bool only_changed);

// One line a run, for `bitlab ls`.
ValueTable list_table(const std::vector<RunRecord>& runs);

}  // namespace bitlab
