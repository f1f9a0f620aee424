#include "report/results.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/losses.h"

namespace bitlab {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;  // axes keep the order of the plan

namespace {

constexpr std::array<const char*, 7> kStates = {"queued",      "running", "done",      "failed",
                                                "interrupted", "pruned",  "unreadable"};
constexpr int kPlanFormat = 2;  // the newest that is known; experiments/plan.cpp writes it

// The value of a key that may be missing or null.
template <class Value>
Value value_or(const json& object, const char* key, Value otherwise) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? otherwise : found->get<Value>();
}

SeedState parse_state(const std::string& text) {
  const auto found = std::find(kStates.begin(), kStates.end(), text);
  if (found == kStates.end()) throw Error("state", "must be known, but got '" + text + "'");
  return static_cast<SeedState>(found - kStates.begin());
}

// Whether the process that a status names has ended. Asking for the run's lock instead could keep a
// worker that starts right now from getting it.
bool worker_is_gone(const json& status) {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  const auto pid = value_or<std::int64_t>(status, "pid", 0);
  if (pid <= 0 || value_or<std::string>(status, "host", "") != host.data()) return false;
  return ::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH;
}

void read_status(const fs::path& dir, SeedResult& run) {
  const json status = json::parse(read_file(dir / "status.json"));
  run.state = parse_state(status.at("state"));
  run.reason = value_or<std::string>(status, "reason", "");
  run.step = value_or<std::int64_t>(status, "step", 0);
  run.steps = value_or<std::int64_t>(status, "steps", run.steps);
  run.tokens_per_s = value_or(status, "tokens_per_s", 0.0);
  run.wall_seconds = value_or(status, "wall_seconds", 0.0);
  run.bytes_full = value_or<std::int64_t>(status, "bytes_full", 0);
  run.bytes_packed = value_or<std::int64_t>(status, "bytes_packed", 0);
  if (run.state == SeedState::Running && worker_is_gone(status)) {
    run.state = SeedState::Interrupted;
    run.reason = "the worker died";
  }
}

void read_curves(const fs::path& dir, SeedResult& run) {
  RunMetrics metrics = read_metrics(dir / "metrics.h5");
  run.train = std::move(metrics.train);
  run.eval = std::move(metrics.eval);
  if (!run.train.empty()) run.step = std::max(run.step, run.train.back().step);
}

// DONE is written last: a status alone does not make a run done.
void judge_done(const fs::path& dir, SeedResult& run) {
  const bool marked = fs::exists(dir / "DONE");
  if (run.done() && !marked) {
    run.state = SeedState::Interrupted;
    run.reason = "the DONE marker is missing";
  }
  if (!marked) return;
  run.state = SeedState::Done;
  run.reason.clear();
  if (!final_val_loss(run)) {
    run.state = SeedState::Unreadable;
    run.reason = "metrics.h5 holds no finite validation loss";
  }
}

SeedResult load_run(const fs::path& dir, std::int64_t seed, std::int64_t steps) {
  SeedResult run;
  run.seed = seed;
  run.dir = dir;
  run.steps = steps;
  if (!fs::exists(dir / "status.json")) return run;
  try {
    read_status(dir, run);
    if (fs::exists(dir / "metrics.h5")) read_curves(dir, run);
    judge_done(dir, run);
  } catch (const std::exception& e) {
    run.state = SeedState::Unreadable;
    run.reason = e.what();
  }
  return run;
}

SweptValue swept_value(const std::string& path, const json& value) {
  SweptValue swept{path, value.is_string() ? value.get<std::string>() : value.dump(), std::nullopt};
  if (value.is_number()) swept.number = value.get<double>();
  return swept;
}

ArmResult load_arm(const json& plan, const fs::path& folder, const Results& results) {
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
  const fs::path dir = folder / arm.dir;
  for (const std::int64_t seed : plan.at("seeds"))
    arm.runs.push_back(load_run(dir / ("seed-" + std::to_string(seed)), seed, arm.steps));
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
  return data;
}

Results parse_plan(const json& plan, const fs::path& folder) {
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
  for (const json& arm : plan.at("arms")) results.arms.push_back(load_arm(arm, folder, results));
  results.baseline = value_or<std::string>(plan, "baseline", "");
  const auto named = [&](const ArmResult& arm) { return arm.name == results.baseline; };
  if (!results.arms.empty() && std::none_of(results.arms.begin(), results.arms.end(), named))
    results.baseline = results.arms.front().name;
  return results;
}

}  // namespace

std::string to_string(SeedState state) { return kStates[static_cast<std::size_t>(state)]; }

std::size_t ArmResult::done() const {
  return static_cast<std::size_t>(
      std::count_if(runs.begin(), runs.end(), [](const SeedResult& run) { return run.done(); }));
}

std::optional<double> final_val_loss(const SeedResult& run) { return final_val_loss(run.eval); }
std::optional<double> best_val_loss(const SeedResult& run) { return best_val_loss(run.eval); }
std::optional<double> final_train_loss(const SeedResult& run) {
  return final_train_loss(run.train, run.eval);
}

Results load_results(const fs::path& folder) {
  const fs::path path = folder / "plan.json";
  if (!fs::exists(path))
    throw UsageError(folder.string(),
                     "must hold the plan.json of an experiment that was run, but has none",
                     "run it first: bitlab run NAME");
  try {
    return parse_plan(json::parse(read_file(path)), folder);
  } catch (const json::exception& e) {
    throw Error(path.string(),
                std::string("must be a plan as docs/run-folder.md shows it, but: ") + e.what(),
                "the same bitlab run command writes it anew");
  }
}

}  // namespace bitlab
