// bitlab list: the experiments there are.
#include <algorithm>
#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "cli/sweep_text.h"
#include "core/base/error.h"
#include "experiments/plan.h"

namespace bitlab {

namespace po = boost::program_options;

namespace {

std::string model_size(const Arm& arm) {
  std::string text = "model " + arm.spec.model_name;
  for (const FieldState& field : arm.fields)
    for (const char* key : {"model.n_layer", "model.d_model", "model.seq_len"})
      if (field.path == key) text += ", " + key_of(field.path) + " " + field.toml;
  return text;
}

std::string training_size(const Spec& spec) {
  const auto tokens =
      spec.train.batch_size * spec.train.accumulate * static_cast<std::int64_t>(spec.seq_len());
  return std::to_string(spec.train.steps) + " steps of " + std::to_string(tokens) + " tokens";
}

std::size_t run_count(const Experiment& experiment) {
  const std::size_t all = experiment.run_count();
  return experiment.max_runs > 0 ? std::min(all, experiment.max_runs) : all;
}

void show(const std::string& name) {
  std::cout << name << "\n";
  try {
    const Experiment experiment = load_experiment(name, {}, project_root());
    std::string arms;
    for (const std::string& arm : experiment.arm_names()) arms += (arms.empty() ? "" : ", ") + arm;
    const std::string sweep = sweep_text_of(experiment.arms);
    const std::size_t seeds = experiment.spec().seeds.size();
    std::cout << "    " << experiment.spec().title << "\n    arms: " << arms << "; seeds: " << seeds
              << (sweep.empty() ? "" : "\n    sweep: " + sweep + "; ")
              << (sweep.empty() ? "" : std::to_string(run_count(experiment)) + " runs") << "\n    "
              << model_size(experiment.arms.front()) << "; " << training_size(experiment.spec())
              << "\n";
  } catch (const UsageError&) {
    std::cout << "    cannot be read: 'bitlab check' says why\n";
  }
}

}  // namespace

int list_command(const std::vector<std::string>& args) {
  po::options_description options("bitlab list: the experiments in configs/experiments");
  options.add_options()("help,h", "show this");
  if (parse_options("list", args, options).count("help")) {
    std::cout << options;
    return 0;
  }
  for (const std::string& name : experiment_names(project_root())) show(name);
  return 0;
}

}  // namespace bitlab
