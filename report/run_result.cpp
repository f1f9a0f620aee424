// One run, read back from its folder.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/file_lock.h"
#include "core/base/files.h"
#include "core/io/losses.h"
#include "report/json_value.h"
#include "report/results.h"

namespace bitlab {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr int kStatusFormat = 1;  // the newest that is known; experiments/run_folder.cpp writes it

constexpr int kLoadFormat = 1;  // of load.json; experiments/bench_load.cpp writes it

constexpr std::array<const char*, 7> kStates = {"queued",      "running", "done",      "failed",
                                                "interrupted", "pruned",  "unreadable"};

SeedState parse_state(const std::string& text) {
  const auto found = std::find(kStates.begin(), kStates.end(), text);
  if (found == kStates.end()) throw Error("state", "must be known, but got '" + text + "'");
  return static_cast<SeedState>(found - kStates.begin());
}

std::optional<double> maybe(const json& object, const char* key) {
  const double x = value_or(object, key, std::numeric_limits<double>::quiet_NaN());
  return std::isfinite(x) ? std::optional<double>(x) : std::nullopt;
}

void read_status(const fs::path& dir, SeedResult& run) {
  const json status = json::parse(read_file(dir / "status.json"));
  if (value_or(status, "format", 1) > kStatusFormat)
    throw Error((dir / "status.json").string(), "was written by a newer bitlab",
                "use that version, or a newer one");
  run.state = parse_state(status.at("state"));
  run.reason = value_or<std::string>(status, "reason", "");
  run.step = value_or<std::int64_t>(status, "step", 0);
  run.steps = value_or<std::int64_t>(status, "steps", run.steps);
  run.tokens_per_s = value_or(status, "tokens_per_s", 0.0);
  run.train_seconds = value_or(status, "train_seconds", 0.0);
  run.wall_seconds = value_or(status, "wall_seconds", 0.0);
  run.bytes_full = value_or<std::int64_t>(status, "bytes_full", 0);
  run.bytes_packed = value_or<std::int64_t>(status, "bytes_packed", 0);
  run.val_loss = maybe(status, "val_loss");
  run.val_loss_best = maybe(status, "val_loss_best");
  run.train_loss = maybe(status, "train_loss");
  run.accuracy = maybe(status, "accuracy");
  run.f1 = maybe(status, "f1");
  run.started = value_or<std::string>(status, "started", "");
  run.ended = value_or<std::string>(status, "ended", "");
  run.imported = value_or<std::string>(status, "imported", "");
  if (run.state == SeedState::Running && !FileLock::held(dir / "lock")) {
    run.state = SeedState::Interrupted;
    run.reason = "the worker died";
  }
}

// Of a run that is not done; what cannot be read is not there, as the file is a courtesy.
void read_progress(const fs::path& dir, SeedResult& run) {
  if (!fs::exists(dir / "progress.json")) return;
  const json told = json::parse(read_file(dir / "progress.json"), nullptr, false);
  if (!told.is_object()) return;
  const double none = std::numeric_limits<double>::quiet_NaN();
  run.live = LiveFigures{value_or(told, "loss", none), value_or(told, "val_loss", none),
                         value_or(told, "tokens_per_s", none), value_or(told, "eta_seconds", none)};
  run.step = std::max(run.step, value_or<std::int64_t>(told, "step", 0));
}

// What cannot be read was not measured: the file is a courtesy.
void read_loaded(const fs::path& dir, SeedResult& run) {
  if (!fs::exists(dir / "load.json")) return;
  try {
    const json told = json::parse(read_file(dir / "load.json"));
    if (value_or(told, "format", 1) > kLoadFormat) return;
    for (const json& form : told.at("loaded"))
      run.loaded.push_back({form.at("weights"), form.at("file_bytes"), form.at("resident_bytes")});
  } catch (const std::exception&) {
    run.loaded.clear();
  }
}

void add_curves(const fs::path& dir, SeedResult& run) {
  RunCurves curves = read_curves(dir / "metrics.h5");
  run.train = std::move(curves.train);
  run.eval = std::move(curves.eval);
  run.scores = std::move(curves.scores);
  if (!run.train.empty()) run.step = std::max(run.step, run.train.back().step);
  if (!run.done()) return;
  // The rows are what was measured; the status only repeats it.
  run.val_loss = final_val_loss(run);
  run.val_loss_best = best_val_loss(run);
  run.train_loss = final_train_loss(run);
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
  run.reason = run.imported.empty() ? "" : "imported, " + run.imported;
}

void require_loss(SeedResult& run) {
  if (!run.done() || final_val_loss(run) || !run.imported.empty()) return;
  run.state = SeedState::Unreadable;
  run.reason = "metrics.h5 holds no finite validation loss";
}

}  // namespace

SeedResult load_run(const fs::path& dir,
                    std::int64_t seed,
                    std::int64_t steps,
                    std::int64_t settled_step,
                    Metrics metrics) {
  SeedResult run;
  run.seed = seed;
  run.dir = dir;
  run.steps = steps;
  run.settled_step = settled_step;
  if (std::error_code none; fs::file_size(dir / "status.json", none) == 0 || none) return run;
  try {
    read_status(dir, run);
    judge_done(dir, run);
    read_loaded(dir, run);
    if (!run.done()) read_progress(dir, run);
    const bool wanted = metrics == Metrics::Losses || (run.done() && !run.val_loss);
    const bool there = fs::exists(dir / "metrics.h5");
    if (wanted && there)
      add_curves(dir, run);
    else if (there && run.done() && settled_step > 0)  // an older status says the lowest of all
      run.val_loss_best = best_val_loss(read_curves(dir / "metrics.h5").eval, settled_step);
    require_loss(run);
  } catch (const std::exception& e) {
    run.state = SeedState::Unreadable;
    run.reason = e.what();
  }
  return run;
}

std::string to_string(SeedState state) { return kStates[static_cast<std::size_t>(state)]; }

std::optional<double> final_val_loss(const SeedResult& run) {
  return run.eval.empty() ? run.val_loss : final_val_loss(run.eval);
}

std::optional<double> best_val_loss(const SeedResult& run) {
  return run.eval.empty() ? run.val_loss_best : best_val_loss(run.eval, run.settled_step);
}

std::optional<double> final_train_loss(const SeedResult& run) {
  return run.eval.empty() && run.train.empty() ? run.train_loss
                                               : final_train_loss(run.train, run.eval);
}

}  // namespace bitlab
