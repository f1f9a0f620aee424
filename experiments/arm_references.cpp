#include "experiments/arm_references.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace bitlab {

namespace {

constexpr const char* kPrefix = "\"arm:";  // of a string in TOML

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
    for (const ArmReference& reference : arm_references(arms_[i]))
      visit(index_of(arms_, reference));
    state_[i] = State::Done;
    order_.push_back(i);
  }

  const std::vector<Arm>& arms_;
  std::vector<State> state_;
  std::vector<std::size_t> order_;
};

}  // namespace

std::vector<ArmReference> arm_references(const Arm& arm) {
  std::vector<ArmReference> references;
  for (const FieldState& field : arm.fields)
    if (field.toml.starts_with(kPrefix))
      references.push_back({field.path, field.toml.substr(5, field.toml.size() - 6)});
  return references;
}

std::vector<std::size_t> in_order_of_references(const std::vector<Arm>& arms) {
  return Order(arms).all();
}

std::vector<FieldState> with_run_folders(const Arm& arm, const Plan& plan, std::uint64_t seed) {
  std::vector<FieldState> fields = arm.fields;
  for (const ArmReference& reference : arm_references(arm))
    for (const PlannedArm& other : plan.arms) {
      if (other.base != reference.arm) continue;
      const auto folder =
          std::filesystem::absolute(plan.results / other.dir / ("seed-" + std::to_string(seed)));
      for (FieldState& field : fields)
        if (field.path == reference.path)
          field.toml = nlohmann::json(folder.lexically_normal().string()).dump();
    }
  return fields;
}

}  // namespace bitlab
