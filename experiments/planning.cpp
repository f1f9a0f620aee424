#include "experiments/planning.h"

#include <map>

#include "core/base/files.h"
#include "experiments/run_folder.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

struct ModelFacts {
  std::int64_t params = 0, ternary_params = 0;
  double flops_per_token = 0;  // of training
};

ModelFacts model_facts(const Spec& spec, std::int64_t vocab_size) {
  const LayerPtr net =
      models().at(spec.model_name).build(*spec.model, static_cast<std::size_t>(vocab_size));
  const ParamStore params(*net);
  return {static_cast<std::int64_t>(params.size()),
          static_cast<std::int64_t>(params.ternary_size()), 6 * net->macs_per_row(spec.seq_len())};
}

// The settings of some tables, as a key for what depends on them alone.
std::string settings_key(const Arm& arm, const std::vector<std::string>& tables) {
  std::string key;
  for (const FieldState& field : arm.fields)
    for (const std::string& table : tables)
      if (field.path.starts_with(table + ".")) key += field.path + "=" + field.toml + "\n";
  return key;
}

PlannedArm plan_arm(const Arm& arm, const DataFacts& data, const ModelFacts& model) {
  PlannedArm planned;
  planned.name = arm.name;
  planned.base = arm.base;
  planned.axes = arm.axes;
  planned.hash = arm_hash(arm, data);
  planned.dir = arm.base + "-" + planned.hash;
  planned.params = model.params;
  planned.ternary_params = model.ternary_params;
  planned.steps = arm.spec.train.steps;
  planned.tokens_per_step = arm.spec.train.batch_size * arm.spec.train.accumulate *
                            static_cast<std::int64_t>(arm.spec.seq_len());
  planned.flops_per_token = model.flops_per_token;
  return planned;
}

}  // namespace

double train_flops_per_token(const Spec& spec, std::int64_t vocab_size) {
  return model_facts(spec, vocab_size).flops_per_token;
}

Plan make_plan(const Experiment& experiment,
               const Dataset& data,
               const fs::path& results,
               const std::string& command) {
  const Spec& spec = experiment.spec();
  Plan plan;
  plan.experiment = experiment.name;
  plan.title = spec.title;
  plan.question = spec.question;
  plan.claims = spec.claims;
  plan.command = command;
  plan.baseline = experiment.baseline();
  plan.data = data.facts;
  plan.references = reference_losses(data);
  plan.seeds = spec.seeds;
  plan.max_runs = experiment.max_runs;
  plan.results = results;
  std::map<std::string, ModelFacts> known;
  for (const Arm& arm : experiment.arms) {
    const auto [model, fresh] = known.try_emplace(settings_key(arm, {"model"}));
    if (fresh) model->second = model_facts(arm.spec, data.facts.vocab_size);
    plan.arms.push_back(plan_arm(arm, data.facts, model->second));
  }
  return plan;
}

std::vector<Footprint> footprints(const Experiment& experiment, const Plan& plan) {
  std::vector<Footprint> all;
  std::map<std::string, Footprint> known;
  const auto vocab_size = static_cast<std::size_t>(plan.data.vocab_size);
  for (const Arm& arm : experiment.arms) {
    const auto [size, fresh] = known.try_emplace(settings_key(arm, {"model", "train"}));
    if (fresh)
      size->second = footprint(build_model(arm.spec, vocab_size, /*seed=*/1), arm.spec.train);
    all.push_back(size->second);
  }
  return all;
}

std::vector<RunJob> jobs_of(const Plan& plan) {
  std::vector<RunJob> jobs;
  for (const PlannedRun& run : plan.runs()) {
    const PlannedArm& arm = plan.arms[run.arm];
    jobs.push_back({plan.experiment, arm.name, run.seed, arm.steps, run.dir, arm.base});
  }
  return jobs;
}

void write_configs(const Experiment& experiment, const Plan& plan, const Launcher& launcher) {
  const std::vector<PlannedRun> runs = plan.runs();
  const std::vector<RunJob> jobs = jobs_of(plan);
  std::vector<FileToWrite> files;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const RunFolder folder(runs[i].dir);
    if (folder.done() || launcher.claimed(jobs[i])) continue;
    const fs::path path = folder.file("config.toml");
    std::string text = run_config(experiment.arms[runs[i].arm]);
    if (!fs::exists(path) || read_file(path) != text) files.push_back({path, std::move(text)});
  }
  write_files_atomic(files);
}

}  // namespace bitlab
