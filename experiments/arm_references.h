#pragma once
// Settings that name what another arm of the experiment leaves behind: "arm:full" stands for the
// run of the arm "full" with the same seed. A teacher, or the weights that training goes on from.
#include <map>
#include <string>
#include <vector>

#include "experiments/plan.h"

namespace bitlab {

inline constexpr const char* kArmPrefix = "arm:";

struct ArmReference {
  std::string path;  // of the setting: "model.pretrained"
  std::string arm;   // "full"
};

// Those of an arm.
std::vector<ArmReference> arm_references(const Arm& arm);

// Indices of arms, each after those that it names. Throws UsageError if an arm names one that is
// not there, has several points of a sweep, or needs itself.
std::vector<std::size_t> in_order_of_references(const std::vector<Arm>& arms);

// The setting of a reference in one run's config.toml: the absolute folder of the run it names.
std::vector<FieldState> with_run_folders(const Arm& arm, const Plan& plan, std::uint64_t seed);

}  // namespace bitlab
