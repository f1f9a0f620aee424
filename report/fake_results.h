#pragma once
// Results with numbers that a test chooses: in a folder as runs would leave it, or in memory. Tests only.
#include <cstdint>
#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/files.h"
#include "core/io/metrics.h"
#include "core/io/test_folder.h"
#include "report/results.h"

namespace bitlab {

// A run that is done, in memory.
inline SeedResult done_run(std::int64_t seed, double last, double best, double train = 1.5) {
  SeedResult run;
  run.seed = seed;
  run.state = SeedState::Done;
  run.step = run.steps = 1000;
  run.tokens_per_s = 63000;
  run.wall_seconds = 52;
  run.bytes_full = 838000;
  run.bytes_packed = 140000;
  run.eval = {{0, "val", 4, 0, 1}, {500, "val", best, 0, 1}, {1000, "val", last, 0, 1}, {1000, "train", train, 0, 1}};
  return run;
}

// A run that is not.
inline SeedResult other_run(std::int64_t seed, SeedState state, const std::string& reason = "", std::int64_t step = 0) {
  SeedResult run;
  run.seed = seed;
  run.state = state;
  run.reason = reason;
  run.step = step;
  run.steps = 1000;
  return run;
}

// Arms `full` and `bit`, with the final losses of their seeds 1, 2 ...
inline Results two_arms(const std::vector<double>& full, const std::vector<double>& bit) {
  Results results;
  results.title = "Fake";
  results.data = {"tinyshakespeare", "86c4e6aa9db7c042", "character", 1003854, 111540, 65};
  results.steps = 1000;
  results.tokens_per_step = 512;
  results.baseline = "full";
  results.arms = {{"full", 209153, 0, {}}, {"bit", 207617, 196608, {}}};
  for (std::size_t i = 0; i < full.size(); ++i)
    results.arms[0].runs.push_back(done_run(static_cast<std::int64_t>(i) + 1, full[i], full[i]));
  for (std::size_t i = 0; i < bit.size(); ++i)
    results.arms[1].runs.push_back(done_run(static_cast<std::int64_t>(i) + 1, bit[i], bit[i]));
  return results;
}

// What `action` says when it throws; empty if it does not.
template <class Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "";
}

class FakeResults {
 public:
  FakeResults() {
    plan_ = {{"experiment", "fake"}, {"title", "Fake"}, {"question", "?"}, {"command", "bitlab run fake"},
             {"data", {{"source", "tinyshakespeare"}, {"sha256", "86c4e6aa9db7c042"}, {"bytes", 1115394},
                       {"train_tokens", 1003854}, {"val_tokens", 111540}, {"vocab_size", 65},
                       {"unit", "character"}}},
             {"references", nlohmann::json::array()}, {"steps", 1000}, {"tokens_per_step", 512},
             {"baseline", "full"}, {"arms", nlohmann::json::array()}};
    write_plan();
  }

  std::filesystem::path path() const { return folder_.path(); }
  nlohmann::json& plan() { return plan_; }
  void write_plan() { write_file_atomic(path() / "plan.json", plan_.dump()); }

  // Plans an arm; its runs do not start yet.
  void add_arm(const std::string& name, std::vector<std::int64_t> seeds, std::int64_t params = 1000,
               std::int64_t ternary_params = 0) {
    plan_["arms"].push_back({{"name", name}, {"hash", "00000000"}, {"dir", dir(name)}, {"params", params},
                             {"ternary_params", ternary_params}, {"seeds", seeds}});
    write_plan();
  }

  std::filesystem::path run(const std::string& arm, std::int64_t seed) const {
    return path() / dir(arm) / ("seed-" + std::to_string(seed));
  }

  void set_status(const std::string& arm, std::int64_t seed, const nlohmann::json& changes) {
    nlohmann::json status = {{"state", "done"}, {"step", 1000}, {"steps", 1000}, {"attempt", 1}, {"pid", 0},
                             {"host", "h"}, {"started", ""}, {"ended", ""}, {"reason", ""},
                             {"train_seconds", 40.0}, {"wall_seconds", 52.0}, {"tokens_per_s", 63000.0},
                             {"bytes_full", 838000}, {"bytes_packed", 140000}};
    status.update(changes);
    write_file_atomic(run(arm, seed) / "status.json", status.dump());
  }

  void write_metrics(const std::string& arm, std::int64_t seed, const std::vector<EvalRow>& eval,
                     const std::vector<TrainRow>& train = {}) {
    std::filesystem::create_directories(run(arm, seed));
    MetricsWriter writer = MetricsWriter::create(run(arm, seed) / "metrics.h5", {});
    for (const EvalRow& row : eval) writer.append(row);
    for (const TrainRow& row : train) writer.append(row);
    writer.flush();
  }

  // A finished run: validation loss 4 at step 0, `best` at step 500, `last` at step 1000; training loss `train`.
  void finish(const std::string& arm, std::int64_t seed, double last, double best, double train = 1.5) {
    write_metrics(arm, seed,
                  {{0, "val", 4, 0.01, 10}, {0, "train", 4.1, 0.01, 10}, {500, "val", best, 0.01, 10},
                   {500, "train", 2, 0.01, 10}, {1000, "val", last, 0.01, 10}, {1000, "train", train, 0.01, 10}});
    set_status(arm, seed, nlohmann::json::object());
    write_file_atomic(run(arm, seed) / "DONE", "now\n");
  }

 private:
  static std::string dir(const std::string& arm) { return arm + "-00000000"; }

  TestFolder folder_;
  nlohmann::json plan_;
};

}  // namespace bitlab
