#include "experiments/plan.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/config/load.h"
#include "core/quant/weight_quantizer.h"
#include "core/text/tokenizer.h"
#include "experiments/arm_references.h"
#include "experiments/classification_task.h"
#include "experiments/loaded_run.h"
#include "experiments/plugin_loader.h"
#include "experiments/pretrained.h"
#include "experiments/run_folder.h"
#include "experiments/run_order.h"
#include "layers/linear.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {
constexpr int kPlanFormat = 2;  // of plan.json; 1 had no axes. report/results.cpp reads it
}

namespace {

std::filesystem::path run_dir(const Plan& plan, std::size_t arm, std::int64_t seed) {
  return plan.results / plan.arms[arm].dir / ("seed-" + std::to_string(seed));
}

}  // namespace

std::vector<PlannedRun> Plan::runs() const {
  std::vector<PlannedRun> runs;
  for_each_run(arms, seeds, max_runs, [&](std::size_t arm, std::int64_t seed) {
    runs.push_back({arm, static_cast<std::uint64_t>(seed), run_dir(*this, arm, seed)});
  });
  return runs;
}

std::vector<std::filesystem::path> Plan::needed_by(const PlannedRun& run) const {
  std::vector<std::filesystem::path> folders;
  for (const std::size_t arm : arms[run.arm].needs)
    folders.push_back(run_dir(*this, arm, static_cast<std::int64_t>(run.seed)));
  return folders;
}

namespace {

// The name in a field of plugin names, which need no escapes.
std::string unquoted(const std::string& toml) { return toml.substr(1, toml.size() - 2); }

}  // namespace

double sequence_tokens(const Spec& spec, const DataFacts& data) {
  return data.lengths.of_sequence(spec.seq_len());
}

namespace {

// Of the weights of a run that is done: those that a worker will learn from.
std::string teacher_sha256(const std::string& run) {
  if (!RunFolder(run).done())
    throw UsageError(
        "task.classification.teacher",
        "must be arm:NAME or the folder of a run that is done, but is '" + run + "'",
        fs::is_directory(run) ? "let that run finish first" : "there is no such folder");
  return weights_sha256(run);
}

}  // namespace

std::string arm_hash(const Arm& arm,
                     const DataFacts& data,
                     const std::map<std::string, std::string>& others) {
  std::string text = canonical_text(arm.fields);
  text += "data=" + data.source + " " + data.sha256 + "\n";
  // What a tokenizer of the text is follows from the settings; one of a file may be any.
  if (!tokenizers().at(arm.spec.data.tokenizer).of_text)
    text += "tokenizer=" + data.tokenizer + "\n";
  text += "model version=" + std::to_string(models().at(arm.spec.model_name).version) + "\n";
  for (const FieldState& field : arm.fields) {
    if (field.path == "model.linear")
      text += "linear version=" + std::to_string(linear_layers().at(unquoted(field.toml)).version) +
              "\n";
    if (key_of(field.path) == "weight_quant")
      text += "quantizer version=" +
              std::to_string(weight_quantizers().at(unquoted(field.toml)).version) + "\n";
  }
  const std::vector<ArmReference> references = arm_references(arm);
  for (const ArmReference& reference : references)
    text += reference.path + "=" + others.at(reference.key()) + "\n";
  if (const std::string name = pretrained_name(arm.spec); !name.empty() && !is_arm_reference(name))
    text += "pretrained=" + find_pretrained(name).sha256 + "\n";
  if (const ClassificationConfig* task = distilled(arm.spec.task);
      task != nullptr && !is_arm_reference(task->teacher))
    text += "teacher=" + teacher_sha256(task->teacher) + "\n";
  text += used_versions(used_entries(arm.fields, data.source));
  return sha256_hex(text).substr(0, 8);
}

namespace {

// A plan that a newer bitlab wrote says more than this one could write: it stays.
void refuse_newer(const fs::path& path) {
  if (!fs::is_regular_file(path)) return;
  std::ifstream in(path);
  const auto there = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (there.is_object() && there.value("format", 1) > kPlanFormat)
    throw Obstacle(path.string(),
                   "must be of format " + std::to_string(kPlanFormat) +
                       " or older, but a newer bitlab wrote it (format " +
                       std::to_string(there.value("format", 1)) + ")",
                   "use that version, or another results folder (BITLAB_RESULTS)");
}

}  // namespace

void write_plan(const Plan& plan) {
  refuse_newer(plan.results / "plan.json");
  using nlohmann::ordered_json;
  ordered_json references = ordered_json::array(), arms = ordered_json::array();
  for (const ReferenceLoss& r : plan.references)
    references.push_back({{"name", r.name}, {"loss", r.loss}});
  std::vector<std::vector<std::uint64_t>> seeds(plan.arms.size());
  for (const PlannedRun& run : plan.runs()) seeds[run.arm].push_back(run.seed);
  for (std::size_t i = 0; i < plan.arms.size(); ++i) {
    if (seeds[i].empty()) continue;  // beyond max_runs
    const PlannedArm& a = plan.arms[i];
    ordered_json axes = ordered_json::object();
    for (const AxisValue& axis : a.axes) axes[axis.path] = ordered_json::parse(axis.toml);
    arms.push_back({{"name", a.name},
                    {"arm", a.base},
                    {"axes", axes},
                    {"hash", a.hash},
                    {"dir", a.dir},
                    {"params", a.params},
                    {"ternary_params", a.ternary_params},
                    {"non_embedding_params", a.non_embedding_params},
                    {"steps", a.steps},
                    {"tokens_per_step", a.tokens_per_step},
                    {"flops_per_token", a.flops_per_token},
                    {"seeds", seeds[i]}});
    if (a.settled_step > 0) arms.back()["settled_step"] = a.settled_step;
  }
  const DataFacts& d = plan.data;
  ordered_json json = {{"format", kPlanFormat},
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
                         {"unit", d.unit},
                         {"tokenizer", d.tokenizer},
                         {"train_bytes", d.train_bytes},
                         {"val_bytes", d.val_bytes}}},
                       {"references", references},
                       {"steps", plan.arms.front().steps},
                       {"tokens_per_step", plan.arms.front().tokens_per_step},
                       {"baseline", plan.baseline},
                       {"arms", arms}};
  if (!plan.zipped.empty()) json["zipped"] = plan.zipped;
  write_file_atomic(plan.results / "plan.json", json.dump(2) + "\n");
}

std::string run_config(const Arm& arm) { return run_config(arm, arm.fields); }

std::string run_config(const Arm& arm, const std::vector<FieldState>& fields) {
  return "# arm " + arm.name + "\n" + to_toml(fields);
}

Spec load_run_spec(const fs::path& config_toml) {
  LoadedConfig config = load_config(config_toml, {}, config_toml.parent_path());
  load_plugins(config);
  Spec spec;
  read_settings(config.file, spec);
  return spec;
}

}  // namespace bitlab
