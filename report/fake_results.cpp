#include "report/fake_results.h"

#include <nlohmann/json.hpp>

#include "core/base/files.h"

namespace bitlab {

using json = nlohmann::ordered_json;  // keys stay in the order in which they are written

namespace {

constexpr const char* kPlan = R"({
  "experiment": "fake", "title": "Fake", "question": "?", "command": "bitlab run fake",
  "data": {"source": "tinyshakespeare", "sha256": "86c4e6aa9db7c042", "bytes": 1115394,
           "train_tokens": 1003854, "val_tokens": 111540, "vocab_size": 65, "unit": "character"},
  "references": [], "steps": 1000, "tokens_per_step": 512, "baseline": "full", "arms": []})";

constexpr const char* kStatus = R"({
  "state": "done", "step": 1000, "steps": 1000, "attempt": 1, "pid": 0, "host": "h", "started": "",
  "ended": "", "reason": "", "train_seconds": 40.0, "wall_seconds": 52.0, "tokens_per_s": 63000.0,
  "bytes_full": 838000, "bytes_packed": 140000})";

std::string dir_of(const std::string& arm) { return arm + "-00000000"; }

}  // namespace

SeedResult done_run(std::int64_t seed, double last, double best, double train) {
  SeedResult run;
  run.seed = seed;
  run.state = SeedState::Done;
  run.step = run.steps = 1000;
  run.tokens_per_s = 63000;
  run.wall_seconds = 52;
  run.bytes_full = 838000;
  run.bytes_packed = 140000;
  run.eval = {{0, "val", 4, 0, 1},
              {500, "val", best, 0, 1},
              {1000, "val", last, 0, 1},
              {1000, "train", train, 0, 1}};
  return run;
}

SeedResult other_run(std::int64_t seed,
                     SeedState state,
                     const std::string& reason,
                     std::int64_t step) {
  SeedResult run;
  run.seed = seed;
  run.state = state;
  run.reason = reason;
  run.step = step;
  run.steps = 1000;
  return run;
}

Results two_arms(const std::vector<double>& full, const std::vector<double>& bit) {
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

struct FakeResults::Plan {
  json content = json::parse(kPlan);
};

FakeResults::FakeResults() : plan_(std::make_unique<Plan>()) { change_plan("{}"); }

FakeResults::~FakeResults() = default;

std::filesystem::path FakeResults::run(const std::string& arm, std::int64_t seed) const {
  return path() / dir_of(arm) / ("seed-" + std::to_string(seed));
}

void FakeResults::change_plan(const std::string& changes) {
  plan_->content.update(json::parse(changes));
  write_file_atomic(path() / "plan.json", plan_->content.dump());
}

void FakeResults::add_arm(const std::string& name,
                          const std::vector<std::int64_t>& seeds,
                          std::int64_t params,
                          std::int64_t ternary_params) {
  plan_->content["arms"].push_back({{"name", name},
                                    {"hash", "00000000"},
                                    {"dir", dir_of(name)},
                                    {"params", params},
                                    {"ternary_params", ternary_params},
                                    {"seeds", seeds}});
  change_plan("{}");
}

void FakeResults::set_status(const std::string& arm,
                             std::int64_t seed,
                             const std::string& changes) {
  json status = json::parse(kStatus);
  status.update(json::parse(changes));
  write_file_atomic(run(arm, seed) / "status.json", status.dump());
}

void FakeResults::write_metrics(const std::string& arm,
                                std::int64_t seed,
                                const std::vector<EvalRow>& eval,
                                const std::vector<TrainRow>& train) {
  std::filesystem::create_directories(run(arm, seed));
  MetricsWriter writer = MetricsWriter::create(run(arm, seed) / "metrics.h5", {});
  for (const EvalRow& row : eval) writer.append(row);
  for (const TrainRow& row : train) writer.append(row);
  writer.flush();
}

void FakeResults::finish(
    const std::string& arm, std::int64_t seed, double last, double best, double train) {
  write_metrics(arm, seed,
                {{0, "val", 4, 0.01, 10},
                 {0, "train", 4.1, 0.01, 10},
                 {500, "val", best, 0.01, 10},
                 {500, "train", 2, 0.01, 10},
                 {1000, "val", last, 0.01, 10},
                 {1000, "train", train, 0.01, 10}});
  set_status(arm, seed);
  write_file_atomic(run(arm, seed) / "DONE", "now\n");
}

}  // namespace bitlab
