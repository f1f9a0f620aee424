#pragma once
// The options of `bitlab run` that say how runs are got done.
#include <boost/program_options.hpp>
#include <string>
#include <vector>

#include "experiments/scheduler.h"

namespace bitlab {

struct ScheduleRequest {
  bool retry_failed = false, fail_fast = false;
  std::string timeout, prune;  // as typed; empty: not given
};

void add_schedule_options(boost::program_options::options_description& shown,
                          ScheduleRequest& request);

// Settings that the options stand for (--prune asha is prune.rule="asha"). Throws UsageError if
// what was typed cannot be meant.
std::vector<std::string> checked_overrides(const ScheduleRequest& request);

ScheduleOptions schedule_options(const ScheduleRequest& request);

}  // namespace bitlab
