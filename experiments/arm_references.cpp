#include "experiments/arm_references.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "core/base/error.h"
#include "experiments/run_folder.h"

namespace bitlab {

namespace {

constexpr std::string_view kArm = "arm:", kExperiment = "experiment:";

// The value of a field if it is a string; else it is no reference.
std::string text_of(const FieldState& field) {
  const bool string = field.toml.size() >= 2 && field.toml.front() == '"';
  return string ? field.toml.substr(1, field.toml.size() - 2) : "";
}

ArmReference parse(const std::string& path, const std::string& value) {
  if (value.starts_with(kArm)) return {path, "", value.substr(kArm.size())};
  const std::string rest = value.substr(kExperiment.size());
  const std::size_t slash = rest.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == rest.size())
    throw UsageError(path, "must name an arm of another experiment, but is '" + value + "'",
                     "write experiment:NAME/ARM");
  return {path, rest.substr(0, slash), rest.substr(slash + 1)};
}

std::size_t index_of(const std::vector<Arm>& arms, const ArmReference& reference) {
  std::vector<std::size_t> found;
  std::string names;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    if (arms[i].base == reference.arm) found.push_back(i);
    names += (names.empty() ? "" : ", ") + arms[i].name;
  }
  if (found.size() != 1)
    throw UsageError(reference.path,
                     "must name an arm that runs beside it once, but '" + reference.arm + "' is " +
                         (found.empty() ? "none of " + names : "swept"),
                     "write arm:NAME, and do not leave that arm out");
  return found.front();
}

class Order {
 public:
  explicit Order(const std::vector<Arm>& arms) : arms_(arms), state_(arms.size(), State::New) {}

  std::vector<std::size_t> all() {
    for (std::size_t i = 0; i < arms_.size(); ++i) visit(i);
    return order_;
  }

 private:
  enum class State { New, Open, Done };

  void visit(std::size_t i) {
    if (state_[i] == State::Done) return;
    if (state_[i] == State::Open)
      throw UsageError("arms", "must not need themselves, but '" + arms_[i].name + "' does");
    state_[i] = State::Open;
    for (const std::size_t needed : arms_needed(arms_, i)) visit(needed);
    state_[i] = State::Done;
    order_.push_back(i);
  }

  const std::vector<Arm>& arms_;
  std::vector<State> state_;
  std::vector<std::size_t> order_;
};

std::filesystem::path seed_folder(const std::filesystem::path& arm, std::uint64_t seed) {
  return std::filesystem::absolute(arm / ("seed-" + std::to_string(seed))).lexically_normal();
}

}  // namespace

bool is_arm_reference(const std::string& value) {
  return value.starts_with(kArm) || value.starts_with(kExperiment);
}

std::vector<ArmReference> arm_references(const Arm& arm) {
  std::vector<ArmReference> references;
  for (const FieldState& field : arm.fields)
    if (const std::string value = text_of(field);
        field.path != "title" && field.path != "question" && is_arm_reference(value))
      references.push_back(parse(field.path, value));
  return references;
}

std::vector<std::size_t> arms_needed(const std::vector<Arm>& arms, std::size_t arm) {
  std::vector<std::size_t> needed;
  for (const ArmReference& reference : arm_references(arms[arm]))
    if (reference.experiment.empty()) needed.push_back(index_of(arms, reference));
  std::sort(needed.begin(), needed.end());
  needed.erase(std::unique(needed.begin(), needed.end()), needed.end());
  return needed;
}

OtherArm find_other_arm(const ArmReference& reference, const OtherPlans& plans) {
  const Plan plan = plans(reference.experiment);
  std::vector<const PlannedArm*> found;
  std::string names;
  for (const PlannedArm& arm : plan.arms) {
    if (arm.base == reference.arm) found.push_back(&arm);
    names += (names.empty() ? "" : ", ") + arm.name;
  }
  if (found.size() != 1)
    throw UsageError(reference.path, "must name an arm of " + reference.experiment +
                                         " that runs once, but '" + reference.arm + "' is " +
                                         (found.empty() ? "none of " + names : "swept"));
  OtherArm other{found.front()->hash, plan.results / found.front()->dir, {}};
  for (const std::int64_t seed : plan.seeds)
    if (std::count(found.front()->left_out.begin(), found.front()->left_out.end(), seed) == 0)
      other.seeds.push_back(seed);
  return other;
}

std::string OtherRuns::command() const {
  return fmt::format("bitlab run {} --arm {} seed={}", experiment, arm, fmt::join(seeds, ","));
}

std::vector<OtherRuns> missing_other_runs(const std::vector<Arm>& arms,
                                          const Plan& plan,
                                          const std::vector<PlannedRun>& runs) {
  std::map<std::pair<std::string, std::string>, std::set<std::int64_t>> missing;
  for (const PlannedRun& run : runs) {
    const auto seed = static_cast<std::int64_t>(run.seed);
    for (const ArmReference& reference : arm_references(arms[run.arm])) {
      if (reference.experiment.empty()) continue;
      const OtherArm& other = plan.others.at(reference.key());
      if (std::count(other.seeds.begin(), other.seeds.end(), seed) == 0)
        throw UsageError(reference.path, "must be a run that " + reference.experiment +
                                             " has, but " + reference.key() + " with seed " +
                                             std::to_string(run.seed) + " is none of its seeds");
      if (!RunFolder(seed_folder(other.dir, run.seed)).done())
        missing[{reference.experiment, reference.arm}].insert(seed);
    }
  }
  std::vector<OtherRuns> all;
  for (const auto& [which, seeds] : missing)
    all.push_back({which.first, which.second, {seeds.begin(), seeds.end()}});
  return all;
}

std::vector<PlannedRun> runs_for(const std::vector<Arm>& arms,
                                 const Plan& plan,
                                 const OtherRuns& wanted) {
  std::set<std::size_t> chosen;  // arms
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < arms.size(); ++i)
    if (arms[i].base == wanted.arm) open.push_back(i);
  while (!open.empty()) {
    const std::size_t i = open.back();
    open.pop_back();
    if (!chosen.insert(i).second) continue;
    for (const std::size_t needed : arms_needed(arms, i)) open.push_back(needed);
  }
  std::vector<PlannedRun> runs = plan.runs();
  std::erase_if(runs, [&](const PlannedRun& run) {
    return chosen.count(run.arm) == 0 || std::count(wanted.seeds.begin(), wanted.seeds.end(),
                                                    static_cast<std::int64_t>(run.seed)) == 0;
  });
  return runs;
}

std::vector<std::size_t> in_order_of_references(const std::vector<Arm>& arms) {
  return Order(arms).all();
}

std::vector<FieldState> with_run_folders(const Arm& arm, const Plan& plan, std::uint64_t seed) {
  std::vector<FieldState> fields = arm.fields;
  for (const ArmReference& reference : arm_references(arm)) {
    std::filesystem::path named;
    if (!reference.experiment.empty()) named = plan.others.at(reference.key()).dir;
    for (const PlannedArm& other : plan.arms)
      if (reference.experiment.empty() && other.base == reference.arm)
        named = plan.results / other.dir;
    for (FieldState& field : fields)
      if (field.path == reference.path)
        field.toml = nlohmann::json(seed_folder(named, seed).string()).dump();
  }
  return fields;
}

}  // namespace bitlab
