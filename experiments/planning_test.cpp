// Planning with real folders: freezing, what happens with each run, time, speed.
#include "experiments/planning.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/catch.h"
#include "core/base/files.h"
#include "experiments/outlook.h"
#include "experiments/plan_test.h"
#include "experiments/provenance.h"
#include "experiments/test_runs.h"
#include "experiments/time_estimate.h"

namespace bitlab {
namespace {

namespace fs = std::filesystem;

// Runs nothing; holds what it is told to.
class NoLauncher : public Launcher {
 public:
  std::size_t slots() const override { return 1; }
  void start(std::size_t, const RunJob&) override { FAIL("nothing may be started"); }
  std::vector<RunExit> poll(std::chrono::milliseconds) override { return {}; }
  void stop_run(std::size_t, bool) override {}
  void stop(bool) override {}
  bool claimed(const RunJob& job) const override { return job.dir == held; }
  fs::path held;
};

const Dataset& plays() {
  static const Dataset data = [] {
    DataConfig config;
    config.sources = {"synthetic-plays"};
    return open_dataset(config);
  }();
  return data;
}

std::string sweep_config() {
  return small_config() + "[sweep]\noptim.lr = \"1e-3,2e-3\"\nseed = \"1..2\"\n";
}

// A project, its plan, and its run folders.
struct Sweep {
  explicit Sweep(const std::string& toml = sweep_config())
      : project(toml), experiment(project.load()), plan(plan_now()) {}

  Plan plan_now() const {
    return make_plan(project.load(), plays(), project.home() / "results", "bitlab run x");
  }
  std::vector<Outlook> look(OutlookOptions options = {}) const {
    return look_ahead(plan, launcher, options);
  }
  std::string fate(std::size_t run, OutlookOptions options = {}) const {
    return describe(look(options).at(run));
  }
  RunFolder folder(std::size_t run) const { return RunFolder(plan.runs().at(run).dir); }
  void set(std::size_t run, RunState state, std::int64_t attempt, const std::string& reason) const {
    RunStatus status;
    status.state = state;
    status.attempt = attempt;
    status.reason = reason;
    status.steps = 600;
    status.wall_seconds = 10;
    folder(run).set_status(status);
  }
  void finish(std::size_t run, const std::string& binary = "") const {
    write_file_atomic(folder(run).file("config.toml"),
                      run_config(experiment.arms.at(plan.runs().at(run).arm)));
    set(run, RunState::Done, 1, "");
    if (!binary.empty()) {
      const RunStatus status;
      begin_provenance(folder(run), {folder(run).dir(), "x", "main", 1, 1}, plays(), status, 0);
      std::string text = read_file(folder(run).file("provenance.json"));
      const std::string mine = binary_sha256();
      text.replace(text.find(mine), mine.size(), binary);
      write_file_atomic(folder(run).file("provenance.json"), text);
    }
    folder(run).mark_done();
  }
  void checkpoint(std::size_t run, const std::string& step) const {
    write_file_atomic(folder(run).file("ckpt") / ("step_" + step) / "DONE", "");
  }

  Project project;
  Experiment experiment;
  NoLauncher launcher;
  Plan plan;
};

TEST_CASE("a plan has every run of arms x points x seeds", "[planning]") {
  const Sweep sweep;
  REQUIRE(sweep.plan.arms.size() == 2);
  CHECK(sweep.plan.arms[1].name == "main lr=0.002");
  CHECK(sweep.plan.arms[1].base == "main");
  CHECK(sweep.plan.arms[1].axes.at(0).path == "optim.lr");
  CHECK(sweep.plan.arms[1].dir == "main-" + sweep.plan.arms[1].hash);
  CHECK(sweep.plan.arms[1].tokens_per_step == 8 * 16);
  CHECK(sweep.plan.arms[1].settled_step == 0);
  const Experiment fading = sweep.project.load({"model.bitlinear.lambda_warmup_steps=300"});
  CHECK(make_plan(fading, plays(), sweep.plan.results, "").arms[0].settled_step == 300);
  CHECK(sweep.plan.baseline == "main");
  CHECK(sweep.plan.runs().size() == 4);
  CHECK(jobs_of(sweep.plan, sweep.plan.runs()).at(3).arm == "main lr=0.002");
}

TEST_CASE("every run has a reason", "[planning]") {
  const Sweep sweep;
  CHECK(sweep.fate(0) == "new");
  write_configs(sweep.experiment, sweep.plan, sweep.launcher);
  CHECK(sweep.fate(0) == "new");

  sweep.set(0, RunState::Interrupted, 1, "stopped by signal 15");
  CHECK(sweep.fate(0) == "resume from the start, no checkpoint was saved");
  sweep.checkpoint(0, "00000200");
  sweep.checkpoint(0, "00000400");
  CHECK(sweep.fate(0) == "resume at step 400");
  sweep.set(0, RunState::Running, 1, "");  // nobody holds its lock
  CHECK(sweep.fate(0) == "resume at step 400");

  sweep.set(1, RunState::Failed, 1, "diverged at step 120\nat length");
  CHECK(sweep.fate(1) == "failed: diverged at step 120; --retry-failed tries again");
  CHECK(sweep.fate(1, {.retry_failed = true}) ==
        "retry after failure from the start, no checkpoint was saved: diverged at step 120");
  sweep.checkpoint(1, "00000100");
  CHECK(sweep.fate(1, {.retry_failed = true}) ==
        "retry after failure at step 100: diverged at step 120");
  sweep.set(1, RunState::Pruned, 1, "median of 4 runs at step 100");
  CHECK(sweep.fate(1, {.retry_failed = true, .prune = true}) ==
        "pruned: median of 4 runs at step 100");
  CHECK(sweep.fate(1) == "resume at step 100");  // a command without pruning goes on

  sweep.finish(2);
  CHECK(sweep.fate(2) == "done");
  CHECK(sweep.fate(2, {.rerun = true}) == "redo: done");
  // As scripts/publish leaves it: nothing is told of where it ran.
  auto published = nlohmann::json::parse(read_file(sweep.folder(2).file("status.json")));
  CHECK(published.erase("pid") + published.erase("host") == 2);
  write_file_atomic(sweep.folder(2).file("status.json"), published.dump());
  CHECK(sweep.fate(2) == "done");

  Sweep held;
  held.launcher.held = held.plan.runs().at(3).dir;
  fs::create_directories(held.launcher.held);
  held.folder(3).set_progress({.step = 150, .steps = 600});
  CHECK(held.fate(3) == "running in another process, step 150");
  write_file_atomic(held.folder(0).file("status.json"), "{");
  CHECK(held.fate(0).find("failed: [" + held.folder(0).file("status.json").string() + "]") == 0);
}

TEST_CASE("what another binary finished is told, and no more", "[planning]") {
  const Sweep sweep;
  sweep.finish(0, binary_sha256());
  sweep.finish(1, std::string(64, '0'));
  sweep.finish(2, std::string(64, '0'));
  CHECK(sweep.fate(0) == "done");
  CHECK(sweep.fate(1) == "done, by build " + build_description());
  CHECK(other_builds(sweep.look()) ==
        std::vector<std::string>{"2 runs were finished by build " + build_description() +
                                 ", this is another one of that commit; --rerun to redo them"});
  CHECK(sweep.fate(1, {.rerun = true}) == "redo: done, by build " + build_description());
  CHECK(other_builds(sweep.look({.rerun = true})).empty());
}

TEST_CASE("runs to redo are set aside, and a finished result is there at any time", "[planning]") {
  const Sweep sweep;
  const fs::path run = sweep.folder(1).dir(), old = run.string() + ".old";
  sweep.finish(1);
  write_file_atomic(run / "note", "first");
  CHECK(set_aside(sweep.look()) == 0);  // nobody asked
  CHECK(sweep.folder(1).done());
  CHECK(set_aside(sweep.look({.rerun = true})) == 1);
  CHECK_FALSE(fs::exists(run));
  CHECK(RunFolder(old).done());
  CHECK(sweep.fate(1) == "new");

  // While it runs again there is nothing to set aside: the old result stays.
  sweep.set(1, RunState::Interrupted, 1, "");
  CHECK(set_aside(sweep.look({.rerun = true})) == 0);
  CHECK(read_file(old / "note") == "first");

  sweep.finish(1);
  write_file_atomic(run / "note", "second");
  CHECK(set_aside(sweep.look({.rerun = true})) == 1);
  CHECK(read_file(old / "note") == "second");
}

TEST_CASE("a run that a worker holds is not set aside", "[planning]") {
  const Sweep sweep;
  sweep.finish(1);
  const auto lock = RunLock::try_take(sweep.folder(1).dir());
  REQUIRE(lock);
  CHECK(set_aside(sweep.look({.rerun = true})) == 0);
  CHECK(sweep.folder(1).done());
}

TEST_CASE("what runs is what was frozen, whatever happens to the experiment file", "[planning]") {
  std::string quick = sweep_config();
  quick.replace(quick.find("steps = 600"), 11, "steps = 20");
  const Sweep sweep(quick);
  write_configs(sweep.experiment, sweep.plan, sweep.launcher);
  std::string edited = quick;
  edited.replace(edited.find("1e-3,2e-3"), 9, "5e-1,6e-1");
  edited.replace(edited.find("name = \"cosine\""), 15, "name = \"linear\"");
  std::ofstream(sweep.project.home() / "configs/experiments/x.toml") << edited;

  const fs::path run = sweep.plan.runs().at(1).dir;
  REQUIRE(wait_for(start_worker(run, 1)) == 0);
  const RunMetrics metrics = read_metrics(run / "metrics.h5");
  REQUIRE_FALSE(metrics.train.empty());
  CHECK(metrics.train.front().lr > 1e-3);  // of the cosine that begins at 2e-3
  CHECK(metrics.train.front().lr <= 2e-3);
  const Spec frozen = load_run_spec(run / "config.toml");
  CHECK(frozen.schedule.name == "cosine");

  // The edited file is another sweep, beside the first one.
  const Plan now = sweep.plan_now();
  for (const PlannedRun& other : now.runs()) CHECK_FALSE(fs::exists(other.dir));
  CHECK(sweep.fate(1) == "done");
}

TEST_CASE("runs that are done or under way keep their config.toml", "[planning]") {
  Sweep sweep;
  write_configs(sweep.experiment, sweep.plan, sweep.launcher);
  for (std::size_t i = 0; i < 3; ++i) write_file_atomic(sweep.folder(i).file("config.toml"), "# 0");
  sweep.folder(0).mark_done();
  sweep.launcher.held = sweep.folder(1).dir();
  write_configs(sweep.experiment, sweep.plan, sweep.launcher);
  CHECK(read_file(sweep.folder(0).file("config.toml")) == "# 0");
  CHECK(read_file(sweep.folder(1).file("config.toml")) == "# 0");
  CHECK(read_file(sweep.folder(2).file("config.toml")).find("[optim]") != std::string::npos);
}

double never_measured(const Spec&, const DataFacts&, std::size_t) {
  FAIL("there are finished runs of this arm");
  return 0;
}
double two_milliseconds(const Spec&, const DataFacts& data, std::size_t threads) {
  CHECK(data.vocab_size > 20);
  return 2e-3 / static_cast<double>(threads);
}

TEST_CASE("time is estimated from finished runs, by their FLOPs", "[planning]") {
  const Sweep sweep;
  sweep.finish(0, "another");  // took 10 s of one thread
  sweep.set(1, RunState::Interrupted, 1, "");
  sweep.checkpoint(1, "00000300");
  const TimeEstimate time =
      estimate_time(sweep.experiment, sweep.plan, sweep.look(), {1, 1}, never_measured);
  CHECK(time.sources == std::vector<std::string>{"finished runs of main"});
  REQUIRE(time.seconds.size() == 4);
  CHECK(time.seconds[0] == 0);
  // Half of the steps; 4 of the 7 evaluations, which are few FLOPs here.
  CHECK(time.seconds[1] == Approx(5).epsilon(0.05));
  CHECK(time.seconds[2] == Approx(10));
  CHECK(time.total == Approx(time.seconds[1] + 20));
  CHECK(estimate_time(sweep.experiment, sweep.plan, sweep.look(), {2, 1}, never_measured).total ==
        Approx(time.seconds[1] + 10));
  // Batches have two shards: two threads take half the time, three no less.
  for (const std::size_t threads : {2u, 3u})
    CHECK(estimate_time(sweep.experiment, sweep.plan, sweep.look(), {1, threads}, never_measured)
              .total == Approx(time.total / 2));

  // A run of other settings of the same arm is as good, and a larger one takes longer.
  const Experiment wide = sweep.project.load({"model.d_model=32"});
  const Plan plan = make_plan(wide, plays(), sweep.plan.results, "");
  const TimeEstimate other =
      estimate_time(wide, plan, look_ahead(plan, sweep.launcher, {}), {1, 1}, never_measured);
  CHECK(other.seconds[0] / 10 ==
        Approx(plan.arms[0].flops_per_token / sweep.plan.arms[0].flops_per_token));
}

TEST_CASE("without finished runs time is that of a step, with evaluations by their FLOPs",
          "[planning]") {
  const Sweep sweep;
  const TimeEstimate time =
      estimate_time(sweep.experiment, sweep.plan, sweep.look(), {1, 1}, two_milliseconds);
  CHECK(time.sources == std::vector<std::string>{"kernels timed at the sizes of main"});
  // 600 steps of 8 x 16 tokens; evaluations every 100 steps and at step 0, forward only: 4 and 2
  // batches of 8 x 16.
  CHECK(time.seconds[0] == Approx(2e-3 * (600 + 7 * (4 + 2) / 3.0)));
  CHECK(time.total == Approx(4 * time.seconds[0]));
  CHECK(estimate_time(sweep.experiment, sweep.plan, sweep.look(), {1, 2}, two_milliseconds).total ==
        Approx(time.total / 2));
}

TEST_CASE("a plan of 1,000 runs is quick", "[planning]") {
  std::string toml = small_config() +
                     "[sweep]\noptim.lr = \"log(1e-4,1e-2)x50\"\n"
                     "optim.beta2 = \"lin(0.9,0.999)x10\"\nseed = \"1..2\"\n";
  const std::clock_t start = std::clock();  // of this process, however busy the machine is
  const Sweep sweep(toml);
  REQUIRE(sweep.plan.runs().size() == 1000);
  const auto sizes = footprints(sweep.experiment, sweep.plan);
  const auto outlooks = sweep.look();
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  CHECK(sizes.size() == 500);
  CHECK(std::all_of(outlooks.begin(), outlooks.end(),
                    [](const Outlook& o) { return o.fate == Fate::New; }));
  CHECK(seconds < 5);  // 0.2 s in a release build, the rest for sanitizers
}

}  // namespace
}  // namespace bitlab
