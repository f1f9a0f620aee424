#pragma once
// From an experiment and its data to a plan, and the files that freeze it.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "experiments/dataset.h"
#include "experiments/footprint.h"
#include "experiments/launcher.h"
#include "experiments/plan.h"

namespace bitlab {

// Every arm with its id and size; `results` is the folder of the experiment, `command` what was
// typed. Other experiments that arms name are planned too, their results beside `results`. Models
// are built once for all arms that share one. What comes from plugins is made once for trial:
// UsageError if a factory throws.
Plan make_plan(const Experiment& experiment,
               const Dataset& data,
               const std::filesystem::path& results,
               const std::string& command);

// FLOPs of one token of training, 6 per multiply-add of a forward pass.
double train_flops_per_token(const Spec& spec, const DataFacts& data);

// The settings of some tables, a line each, as a key for what depends on them alone.
std::string settings_key(const Arm& arm, const std::vector<std::string>& tables);

// What training each arm takes, in the order of plan.arms.
std::vector<Footprint> footprints(const Experiment& experiment, const Plan& plan);

// Runs of the plan as jobs for a launcher.
std::vector<RunJob> jobs_of(const Plan& plan, const std::vector<PlannedRun>& runs);

// Freezes the plan: writes each run's config.toml, which is all that a worker reads, so that later
// edits of the experiment change nothing. Where a run is done or under way, its config is what it
// ran with and stays.
void write_configs(const Experiment& experiment, const Plan& plan, const Launcher& launcher);

}  // namespace bitlab
