#pragma once
// One run in full, and two runs side by side.
#include <string>
#include <vector>

#include "report/index.h"
#include "report/text_table.h"

namespace bitlab {

// The run in `dir`, alone; `arm` and `axes` as the plan of its experiment has them, if that lists
// the run. Throws Error if files that others wrote cannot be read.
RunRecord read_run(const std::filesystem::path& dir);

// State, losses, the settings that are not the default, provenance, files; a page for a terminal.
std::string run_details(const RunRecord& run);

struct Difference {
  std::string section;  // run, settings, data, build, machine, metrics
  std::string key;
  std::string left, right;  // a dash where there is nothing
  std::string change;       // of numbers that were measured: right - left
};

// What differs between two runs, and nothing else. Of what happened when (times, attempts, process
// ids) nothing is said.
std::vector<Difference> differences(const RunRecord& left, const RunRecord& right);

// As text; says so if there are none.
std::string differences_text(const RunRecord& left, const RunRecord& right);

}  // namespace bitlab
