#pragma once
// Settings that name what another arm leaves behind, a teacher or the weights that training goes on
// from: "arm:full" stands for the run of the arm "full" with the same seed, "experiment:NAME/ARM"
// for that of an arm of configs/experiments/NAME.toml as the file says it.
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "experiments/plan.h"

namespace bitlab {

// Whether the value of a setting is such a name.
bool is_arm_reference(const std::string& value);

struct ArmReference {
  std::string path;        // of the setting: "model.pretrained"
  std::string experiment;  // empty: the one that the setting is in
  std::string arm;         // "full"

  // "full" or "NAME/full": what tells it from others.
  std::string key() const { return experiment.empty() ? arm : experiment + "/" + arm; }
};

// Those of an arm. Throws UsageError if one is not written as above.
std::vector<ArmReference> arm_references(const Arm& arm);

// Indices of the arms that one of them names beside it, each once. Throws UsageError if such a
// one is not there or has several points of a sweep.
std::vector<std::size_t> arms_needed(const std::vector<Arm>& arms, std::size_t arm);

// Indices of arms, each after those that it names beside it. Throws UsageError as arms_needed(),
// and if an arm needs itself.
std::vector<std::size_t> in_order_of_references(const std::vector<Arm>& arms);

// Plans the other experiment that a reference names.
using OtherPlans = std::function<Plan(const std::string& experiment)>;

// The arm of another experiment that a reference names. Throws UsageError if there is none such, or
// if it has several points of a sweep.
OtherArm find_other_arm(const ArmReference& reference, const OtherPlans& plans);

// Runs of one arm of another experiment.
struct OtherRuns {
  std::string experiment, arm;
  std::vector<std::int64_t> seeds;  // ascending

  std::string command() const;  // "bitlab run imdb-mlm --arm w158a8 seed=1,2"
};

// Those that some runs of the plan need and that are not done: they have to come first. Throws
// UsageError for a seed that the other experiment does not have.
std::vector<OtherRuns> missing_other_runs(const std::vector<Arm>& arms,
                                          const Plan& plan,
                                          const std::vector<PlannedRun>& runs);

// The runs of one arm with these seeds, and those beside them that they begin with, in the order of
// the plan.
std::vector<PlannedRun> runs_for(const std::vector<Arm>& arms,
                                 const Plan& plan,
                                 const OtherRuns& wanted);

// The setting of a reference in one run's config.toml: the absolute folder of the run it names.
std::vector<FieldState> with_run_folders(const Arm& arm, const Plan& plan, std::uint64_t seed);

}  // namespace bitlab
