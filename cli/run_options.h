#pragma once
// What `bitlab run` was asked for.
#include <cstddef>
#include <string>
#include <vector>

#include "cli/schedule_options.h"
#include "experiments/launcher.h"

namespace bitlab {

struct RunRequest {
  std::string experiment;  // empty: help was asked for, and shown
  std::vector<std::string> overrides;
  std::vector<std::string> arms;     // these only; empty: all
  std::vector<std::string> plugins;  // beside those that the experiment names
  CoreShare share = {0, 0};          // 0: follows from the runs and the cores
  ScheduleRequest schedule;
  bool rerun = false;    // what is done is done again
  bool dry_run = false;  // the plan is shown and nothing else is done
  std::string command;   // as typed
};

// Throws UsageError for what is wrong with the options. The overrides are not looked at.
RunRequest parse_run_request(const std::vector<std::string>& args);

}  // namespace bitlab
