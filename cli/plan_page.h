#pragma once
// What `bitlab plan` says of a model, for people and for programs.
#include <cstddef>
#include <string>
#include <vector>

#include "experiments/model_plan.h"

namespace bitlab {

// One model and how it is trained; `runs` of an experiment share it.
struct NamedPlan {
  std::string name;
  const Spec* spec = nullptr;
  ModelPlan plan;
  std::size_t runs = 1;
  double run_seconds = 0;  // with evaluations
};

std::string plan_page(const NamedPlan& plan, std::size_t threads);

// A line a model: for experiments of several sizes. `slots` runs at once.
std::string plan_table(const std::vector<NamedPlan>& plans, std::size_t slots);

// One object; `experiment` empty: of the only plan, else of that name with a list of all.
std::string plan_json(const std::string& experiment,
                      const std::vector<NamedPlan>& plans,
                      std::size_t threads);

}  // namespace bitlab
