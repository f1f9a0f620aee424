#include "report/results.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/file_lock.h"
#include "core/base/files.h"
#include "report/fake_results.h"

namespace bitlab {
namespace {

// The only run of a plan with one arm and one seed.
SeedResult only_run(const FakeResults& fake) {
  return load_results(fake.path()).arms.at(0).runs.at(0);
}

TEST_CASE("results hold the plan's facts and each run's figures", "[report]") {
  FakeResults fake;
  fake.change_plan(R"({"references": [{"name": "bigram", "loss": 2.484}]})");
  fake.add_arm("full", {1, 7}, 209153);
  fake.add_arm("bit", {1}, 207617, 196608);
  fake.finish("full", 7, 1.84, 1.82, 1.65);
  const Results results = load_results(fake.path());
  CHECK(results.experiment == "fake");
  CHECK(results.data.source == "tinyshakespeare");
  CHECK(results.data.unit == "character");
  CHECK(results.data.val_tokens == 111540);
  CHECK(results.references.at(0).name == "bigram");
  CHECK(results.references.at(0).loss == 2.484);
  CHECK(results.baseline == "full");
  REQUIRE(results.arms.size() == 2);
  CHECK(results.arms[1].ternary_params == 196608);
  CHECK(results.arms[0].done() == 1);
  const SeedResult& run = results.arms[0].runs.at(1);
  CHECK(run.seed == 7);
  CHECK(run.done());
  CHECK(*final_val_loss(run) == 1.84);
  CHECK(*best_val_loss(run) == 1.82);  // at step 500
  CHECK(*final_train_loss(run) == 1.65);
  CHECK(run.tokens_per_s == 63000);
  CHECK(run.wall_seconds == 52);
  CHECK(run.bytes_full == 838000);
  CHECK(run.bytes_packed == 140000);
}

TEST_CASE("losses before quantisation has faded in are not the best", "[report]") {
  FakeResults fake;
  fake.add_arm("bit", {1}, 207617, 196608);
  fake.finish("bit", 1, 1.84, 1.82);
  for (const auto& [settled, best] : {std::pair{0, 1.82}, {500, 1.82}, {501, 1.84}, {5000, 1.84}}) {
    nlohmann::json plan = nlohmann::json::parse(read_file(fake.path() / "plan.json"));
    plan["arms"][0]["settled_step"] = settled;
    write_file_atomic(fake.path() / "plan.json", plan.dump());
    for (const Metrics metrics : {Metrics::Losses, Metrics::None})
      CHECK(*best_val_loss(load_results(fake.path(), metrics).arms[0].runs[0]) == best);
  }
}

TEST_CASE("a planned run without files is queued, not dropped", "[report]") {
  FakeResults fake;
  fake.add_arm("full", {1, 2});
  fake.finish("full", 1, 1.8, 1.8);
  const Results results = load_results(fake.path());
  REQUIRE(results.arms[0].runs.size() == 2);
  CHECK(results.arms[0].runs[1].state == SeedState::Queued);
  CHECK_FALSE(final_val_loss(results.arms[0].runs[1]));
}

TEST_CASE("a failed run keeps its reason and its curve", "[report]") {
  FakeResults fake;
  fake.add_arm("full", {1});
  fake.set_status("full", 1,
                  R"({"state": "failed", "step": 100, "reason": "diverged at step 120"})");
  fake.write_metrics("full", 1, {{0, "val", 4, 0, 1}}, {{120, 1, 1, NAN, 0, 0}});
  const SeedResult run = only_run(fake);
  CHECK(run.state == SeedState::Failed);
  CHECK(run.reason == "diverged at step 120");
  CHECK(run.step == 120);  // metrics know more than the last checkpoint
  CHECK(run.eval.size() == 1);
}

TEST_CASE("only the DONE marker makes a run done", "[report]") {
  FakeResults fake;
  fake.add_arm("full", {1});
  fake.finish("full", 1, 1.8, 1.8);
  CHECK(only_run(fake).done());
  std::filesystem::remove(fake.run("full", 1) / "DONE");
  CHECK(only_run(fake).state == SeedState::Interrupted);
  CHECK(only_run(fake).reason == "the DONE marker is missing");
}

TEST_CASE("a running state whose lock nobody holds reads as interrupted", "[report]") {
  FakeResults fake;
  fake.add_arm("full", {1});
  fake.set_status("full", 1, R"({"state": "running"})");
  {
    const auto lock = FileLock::try_take(fake.run("full", 1) / "lock");
    CHECK(only_run(fake).state == SeedState::Running);
  }
  CHECK(only_run(fake).state == SeedState::Interrupted);
  CHECK(only_run(fake).reason == "the worker died");
}

TEST_CASE("damage in a run is its state, and says what is damaged", "[report]") {
  FakeResults fake;
  fake.add_arm("full", {1, 2, 3});
  for (int seed = 1; seed <= 3; ++seed) fake.finish("full", seed, 1.8, 1.8);
  write_file_atomic(fake.run("full", 1) / "status.json", "{\"state\": \"do");
  write_file_atomic(fake.run("full", 2) / "metrics.h5", "no HDF5");
  fake.write_metrics("full", 3, {{1000, "val", NAN, 0, 1}});
  const Results results = load_results(fake.path());
  for (const SeedResult& run : results.arms[0].runs) CHECK(run.state == SeedState::Unreadable);
  CHECK(results.arms[0].runs[0].reason.find("parse error") != std::string::npos);
  CHECK(results.arms[0].runs[1].reason.find("metrics.h5") != std::string::npos);
  CHECK(results.arms[0].runs[2].reason == "metrics.h5 holds no finite validation loss");
}

TEST_CASE("without evaluation of the training split its loss is the mean of the last tenth",
          "[report]") {
  SeedResult run;
  // Steps 901-950 at 2 and 951-1000 at 1; the row before is not in the last tenth.
  run.train = {{900, 0, 0, 9, 0, 0}, {950, 0, 0, 2, 0, 0}, {1000, 0, 0, 1, 0, 0}};
  CHECK(*final_train_loss(run) == Approx(1.5));
  run.train = {{900, 0, 0, 9, 0, 0}, {975, 0, 0, 2, 0, 0}, {1000, 0, 0, 1, 0, 0}};
  CHECK(*final_train_loss(run) == Approx((75 * 2 + 25 * 1) / 100.0));
  run.train = {{1, 0, 0, 3, 0, 0}};
  CHECK(*final_train_loss(run) == 3);
  run.train.clear();
  CHECK_FALSE(final_train_loss(run));
}

TEST_CASE("a folder without a plan, or with a broken one, is refused by name", "[report]") {
  FakeResults fake;
  write_file_atomic(fake.path() / "plan.json", "{\"experiment\": 5}");
  const std::string message = message_of([&] { load_results(fake.path()); });
  CHECK(message.find("plan.json") != std::string::npos);
  CHECK(message.find("run-folder.md") != std::string::npos);
  std::filesystem::remove(fake.path() / "plan.json");
  CHECK_THROWS_AS(load_results(fake.path()), UsageError);
}

TEST_CASE("a baseline that is no arm falls back to the first arm", "[report]") {
  FakeResults fake;
  fake.add_arm("a", {1});
  fake.change_plan(R"({"baseline": "gone"})");
  CHECK(load_results(fake.path()).baseline == "a");
}

}  // namespace
}  // namespace bitlab
