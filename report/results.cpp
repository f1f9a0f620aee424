#include "report/results.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/losses.h"
#include "report/json_value.h"

namespace bitlab {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;  // axes keep the order of the plan

namespace {

constexpr int kPlanFormat = 2;  // the newest that is known; experiments/plan.cpp writes it

SweptValue swept_value(const std::string& path, const json& value) {
  SweptValue swept{path, value.is_string() ? value.get<std::string>() : value.dump(), std::nullopt};
  if (value.is_number()) swept.number = value.get<double>();
  return swept;
}

ArmResult load_arm(const json& plan, const Results& results, Metrics metrics) {
  ArmResult arm;
  arm.name = plan.at("name");
  arm.base = value_or(plan, "arm", arm.name);
  const json axes = value_or(plan, "axes", json::object());
  for (const auto& [path, value] : axes.items()) arm.axes.push_back(swept_value(path, value));
  arm.hash = value_or<std::string>(plan, "hash", "");
  arm.dir = plan.at("dir");
  arm.steps = value_or(plan, "steps", results.steps);
  arm.tokens_per_step = value_or(plan, "tokens_per_step", results.tokens_per_step);
  arm.flops_per_token = value_or(plan, "flops_per_token", 0.0);
  arm.params = value_or<std::int64_t>(plan, "params", 0);
  arm.ternary_params = value_or<std::int64_t>(plan, "ternary_params", 0);
  arm.non_embedding_params = value_or<std::int64_t>(plan, "non_embedding_params", 0);
  const auto settled_step = value_or<std::int64_t>(plan, "settled_step", 0);
  const fs::path dir = results.folder / arm.dir;
  for (const std::int64_t seed : plan.at("seeds"))
    arm.runs.push_back(
        load_run(dir / ("seed-" + std::to_string(seed)), seed, arm.steps, settled_step, metrics));
  return arm;
}

DataUsed parse_data(const json& plan) {
  DataUsed data;
  data.source = plan.at("source");
  data.sha256 = value_or<std::string>(plan, "sha256", "");
  data.unit = value_or<std::string>(plan, "unit", data.unit);
  data.train_tokens = value_or<std::int64_t>(plan, "train_tokens", 0);
  data.val_tokens = value_or<std::int64_t>(plan, "val_tokens", 0);
  data.vocab_size = value_or<std::int64_t>(plan, "vocab_size", 0);
  data.val_bytes = value_or<std::int64_t>(plan, "val_bytes", 0);
  return data;
}

Results parse_plan(const json& plan, const fs::path& folder, Metrics metrics) {
  Results results;
  results.folder = folder;
  if (value_or(plan, "format", 1) > kPlanFormat)
    throw Error((folder / "plan.json").string(),
                "must be of format " + std::to_string(kPlanFormat) +
                    " or older, but a newer bitlab wrote it (format " +
                    std::to_string(plan.at("format").get<int>()) + ")",
                "use that version, or a newer one");
  results.experiment = plan.at("experiment");
  results.title = value_or(plan, "title", results.experiment);
  results.question = value_or<std::string>(plan, "question", "");
  results.claims = value_or(plan, "claims", std::vector<std::string>());
  results.command = value_or<std::string>(plan, "command", "");
  results.data = parse_data(plan.at("data"));
  for (const json& reference : value_or(plan, "references", json::array()))
    results.references.push_back({reference.at("name"), reference.at("loss")});
  results.steps = plan.at("steps");
  results.tokens_per_step = value_or<std::int64_t>(plan, "tokens_per_step", 0);
  results.zipped = value_or(plan, "zipped", results.zipped);
  for (const json& arm : plan.at("arms")) results.arms.push_back(load_arm(arm, results, metrics));
  results.baseline = value_or<std::string>(plan, "baseline", "");
  const auto named = [&](const ArmResult& arm) {
    return arm.name == results.baseline || arm.base == results.baseline;
  };
  if (!results.arms.empty() && std::none_of(results.arms.begin(), results.arms.end(), named))
    results.baseline = results.arms.front().name;
  return results;
}

}  // namespace

std::optional<double> DataUsed::val_bits_per_byte(std::optional<double> loss) const {
  if (!loss || val_bytes <= 0) return std::nullopt;
  return bits_per_byte(*loss, static_cast<double>(val_tokens), static_cast<double>(val_bytes));
}

std::size_t ArmResult::done() const {
  return static_cast<std::size_t>(
      std::count_if(runs.begin(), runs.end(), [](const SeedResult& run) { return run.done(); }));
}

Results load_results(const fs::path& folder, Metrics metrics) {
  const fs::path path = folder / "plan.json";
  if (!fs::exists(path))
    throw UsageError(folder.string(),
                     "must hold the plan.json of an experiment that was run, but has none",
                     "run it first: bitlab run NAME");
  try {
    return parse_plan(json::parse(read_file(path)), folder, metrics);
  } catch (const json::exception& e) {
    throw Error(path.string(),
                std::string("must be a plan as docs/run-folder.md shows it, but: ") + e.what(),
                "the same bitlab run command writes it anew");
  }
}

}  // namespace bitlab
