#include "experiments/plan.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/config/problems.h"
#include "core/quant/weight_quantizer.h"
#include "layers/linear.h"

namespace bitlab {

namespace fs = std::filesystem;

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
  const std::string near = nearest(name, experiment_names(home));
  throw UsageError("experiment", "must be a .toml file or one that 'bitlab list' shows, but got '" + name + "'",
                   near.empty() ? "" : "did you mean '" + near + "'?");
}

Arm resolve_arm(const std::string& name, const Settings& settings) {
  Arm arm;
  arm.name = name;
  read_settings(settings, arm.spec);
  arm.fields = resolved_fields(settings, arm.spec);
  return arm;
}

}  // namespace

Experiment load_experiment(const std::string& name, const std::vector<std::string>& overrides,
                           const fs::path& home) {
  Experiment experiment;
  experiment.file = find_experiment(name, home);
  experiment.name = experiment.file.stem().string();
  Settings settings = Settings::load(experiment.file, home);
  for (const std::string& override : overrides) settings.assign(override);

  std::vector<std::string> names = settings.arms();
  if (names.empty()) names = {""};
  std::vector<std::string> problems;  // of all arms, each once: arms share most settings
  for (const std::string& arm : names) {
    try {
      experiment.arms.push_back(resolve_arm(arm.empty() ? "main" : arm, settings.for_arm(arm)));
    } catch (const UsageError& e) {
      if (std::find(problems.begin(), problems.end(), e.what()) == problems.end()) problems.push_back(e.what());
    }
  }
  std::string text;
  for (const std::string& problem : problems) text += (text.empty() ? "" : "\n") + problem;
  if (!text.empty()) throw UsageError(text);

  const std::string& baseline = experiment.baseline();
  if (std::none_of(experiment.arms.begin(), experiment.arms.end(),
                   [&](const Arm& arm) { return arm.name == baseline; }))
    throw UsageError(experiment.file.string(), "baseline must be one of the arms, but is '" + baseline + "'");
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

std::string arm_hash(const Arm& arm, const DataFacts& data) {
  std::string text = canonical_text(arm.fields);
  text += "data=" + data.source + " " + data.sha256 + "\n";
  text += "model version=" + std::to_string(models().at(arm.spec.model_name).version) + "\n";
  for (const FieldState& field : arm.fields) {
    const auto* value = std::get_if<std::string>(&field.value.data);
    if (!value) continue;
    if (field.path == "model.linear")
      text += "linear version=" + std::to_string(linear_layers().at(*value).version) + "\n";
    if (field.path.size() > 13 && field.path.substr(field.path.size() - 13) == ".weight_quant")
      text += "quantizer version=" + std::to_string(weight_quantizers().at(*value).version) + "\n";
  }
  return sha256_hex(text).substr(0, 8);
}

void write_plan(const Plan& plan) {
  using nlohmann::ordered_json;
  ordered_json references = ordered_json::array(), arms = ordered_json::array();
  for (const ReferenceLoss& r : plan.references) references.push_back({{"name", r.name}, {"loss", r.loss}});
  for (const PlannedArm& a : plan.arms)
    arms.push_back({{"name", a.name}, {"hash", a.hash}, {"dir", a.dir}, {"params", a.params},
                    {"ternary_params", a.ternary_params}, {"seeds", plan.seeds}});
  const DataFacts& d = plan.data;
  const ordered_json json = {
      {"experiment", plan.experiment}, {"title", plan.title}, {"question", plan.question},
      {"command", plan.command},
      {"data", {{"source", d.source}, {"sha256", d.sha256}, {"bytes", d.bytes}, {"train_tokens", d.train_tokens},
                {"val_tokens", d.val_tokens}, {"vocab_size", d.vocab_size}, {"unit", d.unit}}},
      {"references", references}, {"steps", plan.arms.front().steps},
      {"tokens_per_step", plan.arms.front().tokens_per_step}, {"baseline", plan.baseline}, {"arms", arms}};
  write_file_atomic(plan.results / "plan.json", json.dump(2) + "\n");
}

std::string run_config(const Arm& arm) { return "# arm " + arm.name + "\n" + to_toml(arm.fields); }

Spec load_run_spec(const fs::path& config_toml) {
  Spec spec;
  read_settings(Settings::load(config_toml, config_toml.parent_path()).for_arm(""), spec);
  return spec;
}

}  // namespace bitlab
