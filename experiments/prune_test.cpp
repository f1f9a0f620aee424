// Early stopping: which runs go, why, and that a restart changes no judgement.
#include "experiments/prune.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/catch.h"
#include "core/base/files.h"
#include "core/io/metrics.h"
#include "core/io/test_folder.h"

using namespace bitlab;
namespace fs = std::filesystem;

namespace {

PruneConfig rule(const std::string& name) {
  PruneConfig config;
  config.rule = name;
  return config;
}

struct Sweep {
  TestFolder folder;

  // A run of 900 steps with a validation loss every 100 steps, as far as `losses` go.
  RunJob job(const std::string& name, const std::vector<double>& losses, std::string base = "a") {
    const RunJob job{"x", name, 1, 900, folder / (name + "-00000000") / "seed-1", std::move(base)};
    fs::create_directories(job.dir);
    MetricsWriter metrics = MetricsWriter::create(job.dir / "metrics.h5", {});
    for (std::size_t i = 0; i < losses.size(); ++i) {
      const auto step = static_cast<std::int64_t>(100 * i);
      metrics.append(EvalRow{step, "train", 9, 0, 1});
      metrics.append(EvalRow{step, "val", losses[i], 0, 1});
    }
    return job;
  }
  static RunProgress progress(const std::vector<double>& losses) {
    return {static_cast<std::int64_t>(100 * (losses.size() - 1)), 900, 0, losses.back(), 1, 1};
  }
  std::optional<std::string> judge(Pruner& pruner,
                                   const std::string& name,
                                   const std::vector<double>& losses,
                                   const std::string& base = "a") {
    return pruner.judge(job(name, losses, base), progress(losses));
  }
  void finish(Pruner& pruner, const std::string& name, const std::vector<double>& losses) {
    const RunJob run = job(name, losses);
    RunFolder(run.dir).mark_done();
    pruner.ended(run, {});
  }
  std::vector<nlohmann::json> log() const {
    std::vector<nlohmann::json> lines;
    std::ifstream in(folder / "prune.jsonl");
    for (std::string line; std::getline(in, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
  }
};

}  // namespace

TEST_CASE("rungs are min_steps times powers of the factor, below the last step", "[prune]") {
  PruneConfig config = rule("asha");
  CHECK(Pruner(config, "x").rungs(5000) == std::vector<std::int64_t>{555, 1665, 4995});
  CHECK(Pruner(config, "x").rungs(900) == std::vector<std::int64_t>{100, 300});
  config.factor = 4;
  config.min_steps = 10;
  CHECK(Pruner(config, "x").rungs(500) == std::vector<std::int64_t>{10, 40, 160});
}

TEST_CASE("asha keeps the best third at a rung and says why the others go", "[prune]") {
  Sweep sweep;
  Pruner pruner(rule("asha"), sweep.folder.path());
  CHECK_FALSE(sweep.judge(pruner, "r1", {4, 3.0}));
  CHECK_FALSE(sweep.judge(pruner, "r2", {4, 3.5}));  // two runs say nothing
  CHECK(sweep.judge(pruner, "r3", {4, 3.2}) ==
        "pruned by asha at step 100: val loss 3.2000 is above 3.0000, what the best 1/3 of 3 runs "
        "reach");
  CHECK_FALSE(sweep.judge(pruner, "r4", {4, 3.1}));  // second of four, where two may stay
  CHECK_FALSE(sweep.judge(pruner, "r5", {4, 2.9}));
  CHECK(sweep.judge(pruner, "r6", {4, 3.01}));

  const auto log = sweep.log();
  REQUIRE(log.size() == 6);
  CHECK(log[2]["run"] == "r3-00000000/seed-1");
  CHECK(log[2]["decision"] == "prune");
  CHECK(log[2]["mark"] == 100);
  CHECK(log[2]["value"] == 3.2);
  CHECK(log[2]["threshold"] == 3.0);
  CHECK(log[2]["runs"] == 3);
  CHECK(log[3]["decision"] == "on");
  CHECK(log[3]["threshold"] == 3.1);
}

TEST_CASE("a run that jumps over rungs between two looks is judged at each", "[prune]") {
  Sweep sweep;
  Pruner pruner(rule("asha"), sweep.folder.path());
  for (const char* name : {"r1", "r2"}) sweep.judge(pruner, name, {4, 3, 3, 2});
  CHECK_FALSE(sweep.judge(pruner, "r3", {4, 2.5, 2.5}));
  const auto reason = sweep.judge(pruner, "r3", {4, 2.5, 2.5, 2.5, 2.5, 2.5});
  REQUIRE(reason);
  CHECK(reason->find("at step 300: val loss 2.5000 is above 2.0000") != std::string::npos);
}

TEST_CASE("runs are compared within their arm unless across arms is asked for", "[prune]") {
  Sweep sweep;
  PruneConfig config = rule("asha");
  config.among = GENERATE("arm", "all");
  Pruner pruner(config, sweep.folder.path());
  for (const char* name : {"r1", "r2", "r3"}) sweep.judge(pruner, name, {4, 1.0}, "gpt");
  CHECK(sweep.judge(pruner, "bit", {4, 2.0}, "bitnet").has_value() == (config.among == "all"));
}

TEST_CASE("a restart judges no run a second time and keeps the order of arrival", "[prune]") {
  Sweep sweep;
  {
    Pruner pruner(rule("asha"), sweep.folder.path());
    sweep.judge(pruner, "r1", {4, 3.0});  // the first two could stay: they came first
    sweep.judge(pruner, "r2", {4, 9.0});
    CHECK(sweep.judge(pruner, "r3", {4, 5.0}));
  }
  std::ofstream(sweep.folder / "prune.jsonl", std::ios::app)
      << "{\"run\": \"r9\", \"sett";  // cut off
  Pruner pruner(rule("asha"), sweep.folder.path());
  CHECK(pruner.decided(sweep.job("r3", {4, 5.0})));
  CHECK_FALSE(pruner.decided(sweep.job("r2", {4, 9.0})));
  CHECK_FALSE(sweep.judge(pruner, "r2", {4, 9.0}));
  CHECK(sweep.judge(pruner, "r3", {4, 5.0}));
  CHECK_FALSE(sweep.judge(pruner, "r4", {4, 2.0}));
  PruneConfig other = rule("asha");
  other.factor = 2;  // another question: the old answers do not count
  CHECK_FALSE(Pruner(other, sweep.folder.path()).decided(sweep.job("r3", {4, 5.0})));
}

TEST_CASE("diverged runs and losses that are no number are worse than any", "[prune]") {
  Sweep sweep;
  Pruner pruner(rule("asha"), sweep.folder.path());
  RunStatus diverged;
  diverged.state = RunState::Failed;
  diverged.reason = "diverged at step 30";
  pruner.ended(sweep.job("wild", {4}), diverged);
  sweep.judge(pruner, "r1", {4, 3.0});
  CHECK_FALSE(sweep.judge(pruner, "r2", {4, 2.5}));
  CHECK(sweep.judge(pruner, "nan", {4, std::nan("")}));
  CHECK(sweep.log()[0]["value"].is_null());
  CHECK(sweep.log()[0]["decision"] == "ended");
}

TEST_CASE("median ends runs whose best is worse than the middle of the finished runs' means",
          "[prune]") {
  Sweep sweep;
  Pruner pruner(rule("median"), sweep.folder.path());
  sweep.finish(pruner, "r1", {4, 3, 2, 1});                  // mean up to step 200: 3
  CHECK_FALSE(sweep.judge(pruner, "early", {4, 3.9, 3.9}));  // one to compare with is too few
  sweep.finish(pruner, "r2", {4, 4, 4, 4});                  // 4; the median of both is 3.5
  CHECK_FALSE(sweep.judge(pruner, "good", {4, 3.4, 3.9}));   // its best counts
  CHECK(sweep.judge(pruner, "bad", {4, 3.9, 3.6}) ==
        "pruned by median at step 100: val loss 3.9000 is above 3.7500, the median of 2 finished "
        "runs");
}

TEST_CASE("metrics that cannot be read are looked at again", "[prune]") {
  Sweep sweep;
  Pruner pruner(rule("asha"), sweep.folder.path());
  for (const char* name : {"r1", "r2"}) sweep.judge(pruner, name, {4, 3.0});
  const RunJob late = sweep.job("late", {4, 5.0});
  const std::string good = read_file(late.dir / "metrics.h5");
  write_file_atomic(late.dir / "metrics.h5", "torn");
  CHECK_FALSE(pruner.judge(late, Sweep::progress({4, 5.0})));
  write_file_atomic(late.dir / "metrics.h5", good);
  CHECK(pruner.judge(late, Sweep::progress({4, 5.0})));
}
