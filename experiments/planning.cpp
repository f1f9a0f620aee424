#include "experiments/planning.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/temporary_folder.h"
#include "experiments/arm_references.h"
#include "experiments/plugin_loader.h"
#include "experiments/run_folder.h"
#include "experiments/update_step.h"
#include "layers/param_count.h"

namespace bitlab {

namespace fs = std::filesystem;

std::string settings_key(const Arm& arm, const std::vector<std::string>& tables) {
  std::string key;
  for (const FieldState& field : arm.fields)
    for (const std::string& table : tables)
      if (field.path.starts_with(table + ".")) key += field.path + "=" + field.toml + "\n";
  return key;
}

namespace {

struct ModelFacts {
  std::int64_t params = 0, ternary_params = 0, non_embedding_params = 0;
  double flops_per_token = 0;  // of training
  std::int64_t settled_step = 0;
};

ModelFacts model_facts(const Spec& spec, const DataFacts& data) {
  const LayerPtr net =
      models().at(spec.model_name).build(*spec.model, static_cast<std::size_t>(data.vocab_size));
  const ParamCount params = count_params(*net);
  return {
      static_cast<std::int64_t>(params.total), static_cast<std::int64_t>(params.ternary),
      static_cast<std::int64_t>(count_parts(*net).non_embedding()),
      6 * net->macs_per_row(static_cast<std::size_t>(std::llround(sequence_tokens(spec, data)))),
      static_cast<std::int64_t>(settled_at(*net))};
}

// Makes everything that a run of this spec is made of, and throws it away: a factory of a plugin
// that throws is found before anything runs.
void try_factories(const Spec& spec, const Dataset& data) {
  LanguageModel model = build_model(spec, static_cast<std::size_t>(data.facts.vocab_size), 1);
  const std::unique_ptr<Task> task = make_task(spec, data, 1);
  ThreadTeam team(1);
  UpdateStep({spec.optim, spec.schedule, spec.train, 1}, model, *task, team).schedule(0);
  const TemporaryFolder trial("bitlab-trial");
  spec.make_observers({trial.path(), "trial", "trial", 1, 0});
}

PlannedArm plan_arm(const Arm& arm,
                    const DataFacts& data,
                    const ModelFacts& model,
                    const std::string& hash) {
  PlannedArm planned;
  planned.name = arm.name;
  planned.base = arm.base;
  planned.axes = arm.axes;
  planned.hash = hash;
  planned.dir = arm.base + "-" + planned.hash;
  planned.params = model.params;
  planned.ternary_params = model.ternary_params;
  planned.non_embedding_params = model.non_embedding_params;
  planned.steps = arm.spec.train.steps;
  planned.tokens_per_step =
      std::llround(static_cast<double>(arm.spec.train.batch_size * arm.spec.train.accumulate) *
                   sequence_tokens(arm.spec, data));
  planned.flops_per_token = model.flops_per_token;
  planned.settled_step = model.settled_step;
  planned.left_out = arm.left_out;
  return planned;
}

}  // namespace

double train_flops_per_token(const Spec& spec, const DataFacts& data) {
  return model_facts(spec, data).flops_per_token;
}

namespace {

// `open`: experiments that are being planned, each since the one before names it.
Plan plan_within(const std::vector<std::string>& open,
                 const Experiment& experiment,
                 const Dataset& data,
                 const fs::path& results,
                 const std::string& command);

// Plans an experiment that another one names, whose results are beside its own.
Plan plan_other(std::vector<std::string> open,
                const std::string& name,
                const fs::path& home,
                const fs::path& all_results) {
  if (std::count(open.begin(), open.end(), name) > 0)
    throw UsageError("experiment:" + name, "must not need itself, but does");
  open.push_back(name);
  const Experiment other = load_experiment(name, {}, home);
  return plan_within(open, other, open_dataset(other.spec().data), all_results / name, "");
}

std::map<std::string, OtherArm> other_arms(const std::vector<std::string>& open,
                                           const Experiment& experiment,
                                           const fs::path& all_results) {
  std::map<std::string, Plan> plans;
  const auto plan_of = [&](const std::string& name) {
    const auto known = plans.find(name);
    if (known != plans.end()) return known->second;
    return plans[name] = plan_other(open, name, experiment.home, all_results);
  };
  std::map<std::string, OtherArm> others;
  for (const Arm& arm : experiment.arms)
    for (const ArmReference& reference : arm_references(arm))
      if (!reference.experiment.empty())
        others[reference.key()] = find_other_arm(reference, plan_of);
  return others;
}

// A classifier tells at least as many labels apart as the data have.
void require_labels(const Spec& spec, const Dataset& data) {
  if (spec.task.name != "classification" || !data.labelled) return;
  const auto tokens = static_cast<std::size_t>(data.facts.vocab_size);
  const std::size_t told = models().at(spec.model_name).logits_width(*spec.model, tokens);
  if (const std::size_t labels = data.labelled->labels.size(); told < labels)
    throw UsageError("model.labels", "must be at least the " + std::to_string(labels) + " of " +
                                         data.facts.source + ", but is " + std::to_string(told));
}

// What an arm begins with or learns from is in the plan as well, or done.
void require_needed(const Plan& plan) {
  const std::vector<PlannedRun> runs = plan.runs();
  std::set<fs::path> planned;
  for (const PlannedRun& run : runs) planned.insert(run.dir);
  for (const PlannedRun& run : runs)
    for (const fs::path& needed : plan.needed_by(run))
      if (planned.count(needed) == 0 && !RunFolder(needed).done())
        throw UsageError("sweep",
                         "what an arm needs must be in the plan or done, but " +
                             plan.arms[run.arm].name + " with seed " + std::to_string(run.seed) +
                             " needs " + needed.string(),
                         "sweep.exclude or max_runs leaves that out");
}

Plan plan_within(const std::vector<std::string>& open,
                 const Experiment& experiment,
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
  if (spec.task.name == "masked-lm") plan.data.unit = "masked token";
  plan.references = reference_losses(data, spec.task.name);
  plan.seeds = spec.seeds;
  plan.zipped = experiment.zipped;
  plan.max_runs = experiment.max_runs;
  plan.results = results;
  plan.others = other_arms(open, experiment, results.parent_path());
  std::map<std::string, std::string> hashes;  // of those that arms name
  for (const auto& [name, other] : plan.others) hashes[name] = other.hash;
  std::vector<std::string> hash_of(experiment.arms.size());
  for (const std::size_t i : in_order_of_references(experiment.arms)) {
    const Arm& arm = experiment.arms[i];
    hashes[arm.base] = hash_of[i] = arm_hash(arm, data.facts, hashes);
  }
  std::map<std::string, ModelFacts> known;
  for (std::size_t i = 0; i < experiment.arms.size(); ++i) {
    const Arm& arm = experiment.arms[i];
    if (arm.spec.task.name == "language" && models().at(arm.spec.model_name).whole_texts)
      throw UsageError("model.name",
                       "must be a model that predicts the next token, but '" + arm.spec.model_name +
                           "' reads whole texts",
                       "task.name = \"classification\" and labelled data.sources are for it");
    require_labels(arm.spec, data);
    if (!used_libraries(used_entries(arm.fields, data.facts.source)).empty())
      try_factories(arm.spec, data);
    const auto [model, fresh] = known.try_emplace(settings_key(arm, {"model"}));
    if (fresh) model->second = model_facts(arm.spec, data.facts);
    plan.arms.push_back(plan_arm(arm, data.facts, model->second, hash_of[i]));
    plan.arms.back().needs = arms_needed(experiment.arms, i);
  }
  require_needed(plan);
  return plan;
}

}  // namespace

Plan make_plan(const Experiment& experiment,
               const Dataset& data,
               const fs::path& results,
               const std::string& command) {
  return plan_within({experiment.name}, experiment, data, results, command);
}

std::vector<Footprint> footprints(const Experiment& experiment, const Plan& plan) {
  std::vector<Footprint> all;
  std::map<std::string, Footprint> known;
  const auto vocab_size = static_cast<std::size_t>(plan.data.vocab_size);
  for (const Arm& arm : experiment.arms) {
    const auto [size, fresh] =
        known.try_emplace(settings_key(arm, {"model", "train", "task"}) + arm.spec.optim.name);
    if (fresh) size->second = footprint(arm.spec, vocab_size, plan.data.lengths);
    all.push_back(size->second);
  }
  return all;
}

std::vector<RunJob> jobs_of(const Plan& plan, const std::vector<PlannedRun>& runs) {
  std::vector<RunJob> jobs;
  for (const PlannedRun& run : runs) {
    const PlannedArm& arm = plan.arms[run.arm];
    jobs.push_back(
        {plan.experiment, arm.name, run.seed, arm.steps, run.dir, arm.base, plan.needed_by(run)});
  }
  return jobs;
}

void write_configs(const Experiment& experiment, const Plan& plan, const Launcher& launcher) {
  const std::vector<PlannedRun> runs = plan.runs();
  const std::vector<RunJob> jobs = jobs_of(plan, runs);
  std::vector<FileToWrite> files;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const RunFolder folder(runs[i].dir);
    if (folder.done() || launcher.claimed(jobs[i])) continue;
    const fs::path path = folder.file("config.toml");
    const Arm& arm = experiment.arms[runs[i].arm];
    std::string text = run_config(arm, with_run_folders(arm, plan, runs[i].seed));
    if (!fs::exists(path) || read_file(path) != text) files.push_back({path, std::move(text)});
  }
  write_files_atomic(files);
}

}  // namespace bitlab
