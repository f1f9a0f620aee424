// bitlab plan: what a model takes, before anything is trained.
#include "cli/plan.h"

#include <algorithm>
#include <iostream>
#include <optional>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "cli/plan_page.h"
#include "core/base/error.h"
#include "core/simd/call_time.h"
#include "experiments/dataset.h"
#include "experiments/launcher.h"
#include "experiments/planning.h"
#include "experiments/time_estimate.h"

namespace bitlab {

namespace fs = std::filesystem;
namespace po = boost::program_options;

std::vector<std::string> model_presets(const fs::path& home) {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(home / "configs" / "models", none))
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

fs::path preset_file(const std::string& name, const fs::path& home) {
  const fs::path file = home / "configs" / "models" / (name + ".toml");
  return fs::exists(file) ? file : fs::path();
}

std::string plan_target(const std::string& name, const fs::path& home) {
  if (const fs::path preset = preset_file(name, home); !preset.empty()) return preset.string();
  const std::vector<std::string> experiments = experiment_names(home);
  if (fs::path(name).extension() == ".toml" ||
      std::count(experiments.begin(), experiments.end(), name))
    return name;
  std::vector<std::string> known = model_presets(home);
  std::string list;
  for (const std::string& p : known) list += (list.empty() ? "" : ", ") + p;
  known.insert(known.end(), experiments.begin(), experiments.end());
  const std::string guess = nearest(name, known);
  throw UsageError(
      "bitlab plan",
      "must be given an experiment or one of the presets " + list + ", but got '" + name + "'",
      guess.empty() ? "" : "did you mean '" + guess + "'?");
}

namespace {

constexpr const char* kUsage =
    "usage: bitlab plan PRESET|NAME [path=value ...] [options]\n\n"
    "What a model of configs/models, or each arm of an experiment, takes: parameters, FLOPs, "
    "memory "
    "of training and\n"
    "inference, energy of the arithmetic, tokens, time. Memory and FLOPs follow from the layers; "
    "time "
    "from timing, here\n"
    "and now, each kind of kernel call of a training step. Nothing of the model's size is "
    "allocated. "
    "A preset is planned\n"
    "for micro-batches of one sequence unless train.batch_size says otherwise.\n\n";

struct Request {
  std::string name;
  std::vector<std::string> arms, overrides;
  std::size_t threads = 1, jobs = 1;
  bool json = false;
};

std::optional<Request> parse(const std::vector<std::string>& args) {
  Request request;
  std::vector<std::string> words;
  po::options_description options("Options");
  options.add_options()("help,h", "show this")("arm", po::value(&request.arms),
                                               "this arm only, on a page of its own")(
      "threads", po::value(&request.threads)->default_value(1),
      "threads of a step, at most train.shards")("jobs,j",
                                                 po::value(&request.jobs)->value_name("N"),
                                                 "runs at once; as many as there are cores")(
      "json", po::bool_switch(&request.json), "an object on standard output");
  po::options_description all = options;
  all.add_options()("words", po::value(&words));
  const po::variables_map parsed = parse_options("plan", args, all, "words");
  if (parsed.count("help")) {
    std::cout << kUsage << options;
    return std::nullopt;
  }
  if (words.empty())
    throw UsageError("bitlab plan", "must be given a model preset or an experiment",
                     "bitlab plan --help");
  if (request.threads < 1 || request.jobs < 1)
    throw UsageError("bitlab plan", "--threads and --jobs must be at least 1");
  if (!parsed.count("jobs"))
    request.jobs = std::max<std::size_t>(1, available_cores() / request.threads);
  request.name = words.front();
  request.overrides.assign(words.begin() + 1, words.end());
  return request;
}

// Whether the arm recomputes its blocks; empty if its model has no such setting.
std::optional<bool> recomputed(const Arm& arm) {
  for (const FieldState& field : arm.fields)
    if (field.path == "model.checkpoint") return field.toml == "true";
  return std::nullopt;
}

// The experiment that is asked for.
struct Asked {
  std::string target;
  std::vector<std::string> overrides, arms;  // arms: these only; empty: all

  Experiment load(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = overrides;
    all.insert(all.end(), more.begin(), more.end());
    Experiment experiment = load_experiment(target, all, project_root());
    keep_arms(experiment, arms);
    return experiment;
  }
};

std::vector<NamedPlan> plan_all(const Request& request,
                                const Experiment& experiment,
                                const Asked& asked,
                                const DataFacts& data) {
  static const CallTimer timer = remember(simd::call_seconds);
  std::vector<NamedPlan> plans;
  std::map<std::string, std::size_t> known;
  const std::vector<std::size_t> planned = experiment.planned_runs();
  std::map<bool, Experiment> otherwise;  // the same, with model.checkpoint as the key says
  for (std::size_t i = 0; i < experiment.arms.size(); ++i) {
    const Arm& arm = experiment.arms[i];
    const std::size_t runs = planned[i];
    // Everything of an arm but what makes its runs differ by their luck.
    const std::string size =
        arm.base + "\n" + settings_key(arm, {"model", "train", "eval", "task"});
    const auto [place, fresh] = known.try_emplace(size, plans.size());
    if (!fresh) {
      plans[place->second].runs += runs;
      continue;
    }
    const Spec* other = nullptr;
    if (const auto now = recomputed(arm)) {
      const auto [found, first] = otherwise.try_emplace(!*now);
      if (first)
        found->second = asked.load({std::string("model.checkpoint=") + (*now ? "false" : "true")});
      other = &found->second.arms.at(i).spec;
    }
    NamedPlan named{arm.name, &arm.spec, {}, runs, 0};
    named.plan = plan_model(arm.spec, other, static_cast<std::size_t>(data.vocab_size),
                            data.lengths, request.threads, timer);
    named.plan.recomputed = recomputed(arm).value_or(false);
    if (data.train_tokens > 0)
      named.run_seconds = named.plan.step.total() / named.plan.size.tokens_per_step /
                          named.plan.train_flops *
                          run_flops(arm.spec, named.plan.train_flops, data, 0);
    plans.push_back(std::move(named));
  }
  return plans;
}

// The data's facts; without opening it where the model fixes its vocabulary and no run is planned.
DataFacts facts_of(const Experiment& experiment, bool preset) {
  const Spec& spec = experiment.spec();
  const auto fixed = models().at(spec.model_name).logits_width(*spec.model, 0);
  if (!preset || fixed == 0) {
    DataFacts facts = open_dataset(spec.data).facts;
    std::cerr << "data: " << facts.source << ", " << facts.vocab_size << " different " << facts.unit
              << "s\n";
    if (preset) facts.train_tokens = 0;
    return facts;
  }
  DataFacts facts;
  facts.vocab_size = static_cast<std::int64_t>(fixed);
  return facts;
}

bool sets_batch_size(const std::vector<std::string>& overrides) {
  return std::any_of(overrides.begin(), overrides.end(),
                     [](const std::string& o) { return o.starts_with("train.batch_size="); });
}

}  // namespace

int plan_command(const std::vector<std::string>& args) {
  const std::optional<Request> request = parse(args);
  if (!request) return 0;
  Asked asked{plan_target(request->name, project_root()), request->overrides, request->arms};
  const bool preset = asked.target != request->name;
  if (preset && !sets_batch_size(asked.overrides)) asked.overrides.push_back("train.batch_size=1");
  const Experiment experiment = asked.load();
  const DataFacts data = facts_of(experiment, preset);
  if (preset && fs::exists(project_root() / "configs" / "experiments" / (request->name + ".toml")))
    std::cerr << "note: this is the model of configs/models; 'bitlab plan configs/experiments/"
              << request->name << ".toml' plans the experiment of that name\n";

  std::vector<NamedPlan> plans = plan_all(*request, experiment, asked, data);
  if (preset) plans.front().name = request->name;
  constexpr std::size_t kPages = 2;
  if (request->json) {
    std::cout << plan_json(preset ? "" : experiment.name, plans, request->threads);
    return 0;
  }
  if (plans.size() <= kPages)
    for (const NamedPlan& plan : plans) std::cout << plan_page(plan, request->threads) << "\n";
  if (!preset) std::cout << plan_table(plans, request->jobs);
  return 0;
}

}  // namespace bitlab
