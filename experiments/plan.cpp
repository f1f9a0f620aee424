#include "experiments/plan.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/config/load.h"
#include "core/config/problems.h"
#include "core/quant/weight_quantizer.h"
#include "layers/linear.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {
constexpr int kPlanFormat = 2;  // of plan.json; 1 had no axes. report/results.cpp reads it
}

const std::string& Experiment::baseline() const {
  return spec().baseline.empty() ? arms.front().name : spec().baseline;
}

std::vector<std::string> experiment_names(const fs::path& home) {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(home / "configs" / "experiments", none))
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

namespace {

fs::path find_experiment(const std::string& name, const fs::path& home) {
  if (fs::path(name).extension() == ".toml") {
    if (!fs::exists(name)) throw UsageError(name, "must be an experiment file, but does not exist");
    return name;
  }
  const fs::path file = home / "configs" / "experiments" / (name + ".toml");
  if (fs::exists(file)) return file;
  const std::vector<std::string> names = experiment_names(home);
  const std::string guess = nearest(name, names);
  std::string known;
  for (const std::string& other : names) known += (known.empty() ? "" : ", ") + other;
  throw UsageError("experiment",
                   "must be a .toml file or one of " + known + ", but got '" + name + "'",
                   guess.empty() ? "" : "did you mean '" + guess + "'?");
}

// What arms have in common, so that their runs are paired and end in one report.
bool shared_by_arms(const std::string& path) {
  return path == "title" || path == "question" || path == "claims" || path == "seeds" ||
         path == "baseline" || table_of(path) == "data";
}

void refuse_unshared(const LoadedConfig& config, Problems& problems) {
  for (const Settings* settings : {&config.file, &config.command_line}) {
    for (const auto& [path, setting] : *settings) {
      if (setting.table || !path.starts_with("arms.")) continue;
      const std::size_t dot = path.find('.', 5);
      if (dot == std::string::npos || !shared_by_arms(path.substr(dot + 1))) continue;
      problems.add(setting.key,
                   "arm " + path.substr(5, dot - 5) + " must not set " + path.substr(dot + 1),
                   {"arms are compared on the same data and seeds: set it outside of [arms]"});
    }
  }
}

void check_baseline(const Experiment& experiment, const LoadedConfig& config, Problems& problems) {
  std::string names;
  for (const Arm& arm : experiment.arms) {
    if (arm.name == experiment.baseline()) return;
    names += (names.empty() ? "" : ", ") + arm.name;
  }
  const Settings shared = settings_of_arm(config, "");
  problems.add(shared.at("baseline").value.place,
               "baseline must be one of " + names + ", but got '" + experiment.baseline() + "'");
}

Arm resolve_arm(const std::string& name, const Settings& settings, ConfigReader& reader) {
  Arm arm;
  arm.name = arm.base = name;
  const auto origins = reader.read(settings, arm.spec);
  arm.fields = list_fields(arm.spec, origins);
  return arm;
}

}  // namespace

Experiment load_experiment(const std::string& name,
                           const std::vector<std::string>& overrides,
                           const fs::path& home) {
  Experiment experiment;
  experiment.file = find_experiment(name, home);
  experiment.name = experiment.file.stem().string();
  const LoadedConfig config = load_config(experiment.file, overrides, home);

  Problems problems;
  ConfigReader reader(problems);
  refuse_unshared(config, problems);
  for (const std::string& arm : arm_names(config))
    experiment.arms.push_back(resolve_arm(arm, settings_of_arm(config, arm), reader));
  if (experiment.arms.empty())
    experiment.arms.push_back(resolve_arm("main", settings_of_arm(config, ""), reader));
  reader.report_unknown();
  check_baseline(experiment, config, problems);
  problems.throw_if_any();
  return experiment;
}

std::vector<PlannedRun> Plan::runs() const {
  std::vector<PlannedRun> runs;
  for (const std::int64_t seed : seeds)
    for (std::size_t arm = 0; arm < arms.size(); ++arm)
      runs.push_back({arm, static_cast<std::uint64_t>(seed),
                      results / arms[arm].dir / ("seed-" + std::to_string(seed))});
  return runs;
}

namespace {

// The name in a field of plugin names, which need no escapes.
std::string unquoted(const std::string& toml) { return toml.substr(1, toml.size() - 2); }

}  // namespace

std::string arm_hash(const Arm& arm, const DataFacts& data) {
  std::string text = canonical_text(arm.fields);
  text += "data=" + data.source + " " + data.sha256 + "\n";
  text += "model version=" + std::to_string(models().at(arm.spec.model_name).version) + "\n";
  for (const FieldState& field : arm.fields) {
    if (field.path == "model.linear")
      text += "linear version=" + std::to_string(linear_layers().at(unquoted(field.toml)).version) +
              "\n";
    if (key_of(field.path) == "weight_quant")
      text += "quantizer version=" +
              std::to_string(weight_quantizers().at(unquoted(field.toml)).version) + "\n";
  }
  return sha256_hex(text).substr(0, 8);
}

void write_plan(const Plan& plan) {
  using nlohmann::ordered_json;
  ordered_json references = ordered_json::array(), arms = ordered_json::array();
  for (const ReferenceLoss& r : plan.references)
    references.push_back({{"name", r.name}, {"loss", r.loss}});
  for (const PlannedArm& a : plan.arms) {
    ordered_json axes = ordered_json::object();
    for (const AxisValue& axis : a.axes) axes[axis.path] = ordered_json::parse(axis.toml);
    arms.push_back({{"name", a.name},
                    {"arm", a.base},
                    {"axes", axes},
                    {"hash", a.hash},
                    {"dir", a.dir},
                    {"params", a.params},
                    {"ternary_params", a.ternary_params},
                    {"steps", a.steps},
                    {"tokens_per_step", a.tokens_per_step},
                    {"flops_per_token", a.flops_per_token},
                    {"seeds", plan.seeds}});
  }
  const DataFacts& d = plan.data;
  const ordered_json json = {{"format", kPlanFormat},
                             {"experiment", plan.experiment},
                             {"title", plan.title},
                             {"question", plan.question},
                             {"claims", plan.claims},
                             {"command", plan.command},
                             {"data",
                              {{"source", d.source},
                               {"sha256", d.sha256},
                               {"bytes", d.bytes},
                               {"train_tokens", d.train_tokens},
                               {"val_tokens", d.val_tokens},
                               {"vocab_size", d.vocab_size},
                               {"unit", d.unit}}},
                             {"references", references},
                             {"steps", plan.arms.front().steps},
                             {"tokens_per_step", plan.arms.front().tokens_per_step},
                             {"baseline", plan.baseline},
                             {"arms", arms}};
  write_file_atomic(plan.results / "plan.json", json.dump(2) + "\n");
}

std::string run_config(const Arm& arm) { return "# arm " + arm.name + "\n" + to_toml(arm.fields); }

Spec load_run_spec(const fs::path& config_toml) {
  Spec spec;
  read_settings(load_config(config_toml, {}, config_toml.parent_path()).file, spec);
  return spec;
}

}  // namespace bitlab
