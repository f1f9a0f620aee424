#include "experiments/scheduler.h"

#include <csignal>
#include <functional>
#include <memory>
#include <thread>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/test_folder.h"

using namespace bitlab;
namespace fs = std::filesystem;
using std::chrono::milliseconds;

namespace {

RunStatus status_of(RunState state, std::int64_t attempt, const std::string& reason = "") {
  RunStatus status;
  status.state = state;
  status.attempt = attempt;
  status.reason = reason;
  return status;
}

// Runs no processes: each started run ends at the next poll, in the way its `ends` says.
class FakeLauncher : public Launcher {
 public:
  std::size_t slots() const override { return slot_count; }

  void start(std::size_t id, const RunJob& job) override {
    if (refuses == job.arm) throw Error("fake", "cannot be started");
    started.push_back(job.arm + " " + std::to_string(job.seed));
    const RunFolder folder(job.dir);
    folder.set_status(status_of(RunState::Interrupted,
                                folder.status().attempt + 1));  // "running" asks for a lock
    running[id] = job;
    most_at_once = std::max(most_at_once, running.size());
  }

  std::vector<RunExit> poll(milliseconds) override {
    ++polls;
    if (on_poll) on_poll();
    std::vector<RunExit> exits;
    for (auto it = running.begin(); it != running.end();) {
      const RunExit exit = end(it->first, it->second);
      if (exit.code < 0) {
        ++it;
        continue;
      }
      exits.push_back(exit);
      it = running.erase(it);
    }
    return exits;
  }

  void stop_run(std::size_t id, bool at_once) override {
    run_stops.push_back(running.at(id).arm + (at_once ? " at once" : ""));
  }
  void stop(bool at_once) override { stops.push_back(at_once); }
  bool claimed(const RunJob& job) const override { return claimed_arm == job.arm; }

  static RunExit succeed(std::size_t id, const RunJob& job) {
    RunFolder(job.dir).mark_done();
    return {id, 0, false};
  }
  static RunExit go_on(std::size_t id, const RunJob&) { return {id, -1, false}; }

  std::size_t slot_count = 2, most_at_once = 0;
  int polls = 0;
  std::string refuses, claimed_arm;
  std::vector<std::string> started;
  std::vector<bool> stops;
  std::vector<std::string> run_stops;
  std::map<std::size_t, RunJob> running;
  std::function<void()> on_poll;
  std::function<RunExit(std::size_t, const RunJob&)> end = succeed;  // code < 0: goes on
};

// Writes down every change.
class Recorder : public ScheduleObserver {
 public:
  void on_change(const RunView& run) override {
    const std::string key = run.job.arm + " " + std::to_string(run.job.seed);
    reasons[key] = run.reason;
    phases[key].push_back(run.phase);
  }
  std::map<std::string, std::string> reasons;
  std::map<std::string, std::vector<RunPhase>> phases;
};

struct Bench {
  TestFolder folder;
  std::vector<RunJob> jobs;
  FakeLauncher launcher;
  Recorder recorder;
  StopRequest stop;
  ScheduleOptions options;

  Bench() {
    for (const std::string arm : {"a", "b"})
      for (const std::uint64_t seed : {1, 2})
        jobs.push_back({"x", arm, seed, 100, folder.path() / arm / std::to_string(seed)});
  }
  RunFolder run(std::size_t i) const { return RunFolder(jobs[i].dir); }
  ScheduleOutcome schedule(bool retry_failed = false) {
    options.retry_failed = retry_failed;
    options.tick = milliseconds(1);
    return Scheduler(jobs, launcher, recorder, options).run(stop);
  }
};

using Names = std::vector<std::string>;
using Phases = std::vector<RunPhase>;

}  // namespace

TEST_CASE("a schedule runs everything once and never more at once than there are slots",
          "[scheduler]") {
  Bench bench;
  CHECK(bench.schedule().exit_code() == 0);
  CHECK(bench.launcher.started == Names{"a 1", "a 2", "b 1", "b 2"});
  CHECK(bench.launcher.most_at_once == 2);
  CHECK(bench.recorder.phases["b 2"] == Phases{RunPhase::Running, RunPhase::Done});
}

TEST_CASE("a run starts after those that it needs, and others take its place meanwhile",
          "[scheduler]") {
  Bench bench;  // a 1, a 2, b 1, b 2
  bench.jobs[0].needs = {bench.jobs[3].dir, bench.folder.path() / "of another plan"};
  bench.jobs[1].needs = {bench.jobs[0].dir};
  CHECK(bench.schedule().exit_code() == 0);
  CHECK(bench.launcher.started == Names{"b 1", "b 2", "a 1", "a 2"});
  CHECK(bench.launcher.most_at_once == 2);
}

TEST_CASE("what a run needs and nobody finishes holds it back no longer", "[scheduler]") {
  Bench bench;
  bench.jobs.pop_back();
  bench.jobs[0].needs = {bench.jobs[2].dir};
  SECTION("it cannot be started") { bench.launcher.refuses = "b"; }
  SECTION("another scheduler has it, and gives up after a while") {
    bench.launcher.claimed_arm = "b";
    bench.launcher.on_poll = [&] {
      if (bench.launcher.polls > 5) return;
      CHECK(bench.launcher.started == Names{"a 2"});
      if (bench.launcher.polls < 5) return;
      bench.launcher.claimed_arm.clear();
      bench.run(2).set_status(status_of(RunState::Failed, 1, "diverged at step 7"));
    };
  }
  CHECK(bench.schedule().exit_code() == 1);
  CHECK(bench.launcher.started == Names{"a 2", "a 1"});
}

TEST_CASE("a schedule of finished runs starts and waits for nothing", "[scheduler]") {
  Bench bench;
  for (std::size_t i = 0; i < 4; ++i) write_file_atomic(bench.run(i).file("DONE"), "");
  const ScheduleOutcome outcome = bench.schedule();
  CHECK(outcome.exit_code() == 0);
  CHECK(bench.launcher.started.empty());
  CHECK(bench.launcher.polls == 0);
  CHECK(outcome.runs[0].earlier);
}

TEST_CASE("a schedule skips done runs and resumes interrupted ones", "[scheduler]") {
  Bench bench;
  write_file_atomic(bench.run(0).file("DONE"), "");
  bench.run(1).set_status(status_of(RunState::Interrupted, 1));
  bench.run(2).set_status(status_of(RunState::Running, 1));  // its worker is dead
  CHECK(bench.schedule().exit_code() == 0);
  CHECK(bench.launcher.started == Names{"a 2", "b 1", "b 2"});
}

TEST_CASE("an earlier failure is shown and tried again only when that is asked for",
          "[scheduler]") {
  Bench bench;
  bench.run(1).set_status(status_of(RunState::Failed, 1, "diverged at step 7"));
  ScheduleOutcome outcome = bench.schedule();
  CHECK(outcome.exit_code() == 1);
  CHECK(outcome.runs[1].phase == RunPhase::Failed);
  CHECK(outcome.runs[1].earlier);
  CHECK(bench.recorder.reasons["a 2"] == "diverged at step 7");
  CHECK(bench.launcher.started == Names{"a 1", "b 1", "b 2"});

  bench.launcher.started.clear();
  outcome = bench.schedule(/*retry_failed=*/true);
  CHECK(outcome.exit_code() == 0);
  CHECK(bench.launcher.started == Names{"a 2"});
}

TEST_CASE("a retry that fails again is not tried a third time", "[scheduler]") {
  Bench bench;
  bench.run(0).set_status(status_of(RunState::Failed, 1, "diverged at step 7"));
  bench.launcher.end = [&](std::size_t id, const RunJob& job) {
    RunFolder(job.dir).set_status(status_of(RunState::Failed, 2, "diverged at step 8"));
    return RunExit{id, 1, false};
  };
  bench.jobs.resize(1);
  CHECK(bench.schedule(/*retry_failed=*/true).exit_code() == 1);
  CHECK(bench.launcher.started.size() == 1);
  CHECK(bench.recorder.reasons["a 1"] == "diverged at step 8");
}

TEST_CASE("one failure is told at once and does not stop the others", "[scheduler]") {
  Bench bench;
  bench.launcher.slot_count = 1;
  bench.launcher.end = [&](std::size_t id, const RunJob& job) {
    if (id != 0) {
      CHECK(bench.recorder.reasons["a 1"] == "diverged at step 3");
      return FakeLauncher::succeed(id, job);
    }
    RunFolder(job.dir).set_status(status_of(RunState::Failed, 1, "diverged at step 3"));
    return RunExit{id, 1, false};
  };
  const ScheduleOutcome outcome = bench.schedule();
  CHECK(outcome.exit_code() == 1);
  CHECK(outcome.runs[0].phase == RunPhase::Failed);
  CHECK(!outcome.runs[0].earlier);
  CHECK(outcome.runs[3].phase == RunPhase::Done);
}

TEST_CASE("every way in which a worker can end without a word has its reason", "[scheduler]") {
  struct Case {
    RunExit exit;
    std::string reason;
  };
  const Case c = GENERATE(Case{{0, 137, true}, "the worker was ended by signal 9 (out of memory?)"},
                          Case{{0, 139, true}, "the worker was ended by signal 11"},
                          Case{{0, 3, false}, "the worker ended with code 3 and no reason"},
                          Case{{0, 0, false}, "the worker ended without marking the run as done"});
  Bench bench;
  bench.jobs.resize(1);
  bench.launcher.end = [&](std::size_t, const RunJob&) { return c.exit; };
  CHECK(bench.schedule().exit_code() == 1);
  CHECK(bench.recorder.reasons["a 1"] == c.reason);
}

TEST_CASE("a failure from before is not taken for the reason of a worker that said nothing",
          "[scheduler]") {
  Bench bench;
  bench.jobs.resize(1);
  bench.run(0).set_status(status_of(RunState::Failed, 5, "old"));
  bench.launcher.end = [&](std::size_t id, const RunJob& job) {
    RunFolder(job.dir).set_status(
        status_of(RunState::Failed, 5, "old"));  // it died before it could write
    return RunExit{id, 127, false};
  };
  CHECK(bench.schedule(/*retry_failed=*/true).exit_code() == 1);
  CHECK(bench.recorder.reasons["a 1"] == "the worker ended with code 127 and no reason");
}

TEST_CASE("a run that cannot be started fails alone", "[scheduler]") {
  Bench bench;
  bench.launcher.refuses = "a";
  const ScheduleOutcome outcome = bench.schedule();
  CHECK(outcome.exit_code() == 1);
  CHECK(bench.launcher.started == Names{"b 1", "b 2"});
  CHECK(bench.recorder.reasons["a 2"] == "[fake] cannot be started");
}

TEST_CASE("a damaged status fails its run alone", "[scheduler]") {
  Bench bench;
  write_file_atomic(bench.run(2).file("status.json"), "{\"state\": ");
  const ScheduleOutcome outcome = bench.schedule();
  CHECK(outcome.exit_code() == 1);
  CHECK(outcome.runs[2].phase == RunPhase::Failed);
  CHECK(bench.launcher.started == Names{"a 1", "a 2", "b 2"});
}

TEST_CASE("a run of another scheduler is waited for, and taken over if that one gives up",
          "[scheduler]") {
  const bool gives_up = GENERATE(false, true);
  Bench bench;
  bench.jobs.resize(1);
  bench.launcher.claimed_arm = "a";
  bench.launcher.on_poll = [&] {
    if (bench.launcher.polls != 3) return;
    if (!gives_up) bench.run(0).mark_done();
    bench.launcher.claimed_arm.clear();
  };
  CHECK(bench.schedule().exit_code() == 0);
  CHECK(bench.launcher.started == (gives_up ? Names{"a 1"} : Names{}));
}

TEST_CASE("a run that another scheduler finished meanwhile is not started", "[scheduler]") {
  Bench bench;
  bench.launcher.slot_count = 1;
  bench.launcher.on_poll = [&] {
    if (bench.launcher.polls == 1) bench.run(2).mark_done();
    if (bench.launcher.polls == 2)
      bench.run(3).set_status(status_of(RunState::Failed, 1, "elsewhere"));
  };
  CHECK(bench.schedule().exit_code() == 1);
  CHECK(bench.launcher.started == Names{"a 1", "a 2"});
  CHECK(bench.recorder.reasons["b 2"] == "elsewhere");
}

TEST_CASE("a worker that finds its run taken makes the scheduler wait for the other",
          "[scheduler]") {
  Bench bench;
  bench.jobs.resize(1);
  bench.launcher.end = [&](std::size_t id, const RunJob&) {
    bench.launcher.claimed_arm = "a";
    return RunExit{id, 1, false};
  };
  bench.launcher.on_poll = [&] {
    if (bench.launcher.polls == 4) bench.run(0).mark_done();
  };
  CHECK(bench.schedule().exit_code() == 0);
  CHECK(bench.recorder.phases["a 1"] ==
        Phases{RunPhase::Running, RunPhase::Elsewhere, RunPhase::Done});
}

TEST_CASE("a stop lets workers save, starts nothing more and gives the signal's exit code",
          "[scheduler]") {
  const int signal = GENERATE(SIGINT, SIGTERM);
  Bench bench;
  bench.launcher.end = [&](std::size_t id, const RunJob&) {
    return RunExit{id, bench.launcher.stops.empty() ? -1 : 143, false};
  };
  bench.launcher.on_poll = [&] {
    if (bench.launcher.polls != 2) return;
    bench.stop.signal = signal;
    bench.stop.count = 1;
  };
  const ScheduleOutcome outcome = bench.schedule();
  CHECK(outcome.exit_code() == 128 + signal);
  CHECK(bench.launcher.stops == std::vector<bool>{false});
  CHECK(bench.launcher.started.size() == 2);
  CHECK(outcome.runs[0].phase == RunPhase::Interrupted);
  CHECK(outcome.runs[2].phase == RunPhase::Queued);
}

TEST_CASE("a second stop ends workers at once", "[scheduler]") {
  Bench bench;
  bench.launcher.end = [&](std::size_t id, const RunJob&) {
    return RunExit{id, bench.launcher.stops.size() < 2 ? -1 : 137, true};
  };
  bench.launcher.on_poll = [&] {
    bench.stop.signal = SIGINT;
    bench.stop.count = bench.launcher.polls / 2;
  };
  const ScheduleOutcome outcome = bench.schedule();
  CHECK(outcome.exit_code() == 130);
  CHECK(bench.launcher.stops == std::vector<bool>{false, true});
  CHECK(outcome.runs[0].phase == RunPhase::Interrupted);
}

TEST_CASE("runs that wait say so in their status, and never over that of a worker", "[scheduler]") {
  Bench bench;
  bench.launcher.slot_count = 1;
  bench.run(3).set_status(status_of(RunState::Interrupted, 4));
  bench.launcher.on_poll = [&] {
    if (bench.launcher.polls > 1) return;
    const RunStatus waiting = RunFolder(bench.jobs[1].dir).status();
    CHECK(waiting.state == RunState::Queued);
    CHECK(waiting.steps == 100);
    CHECK(fs::exists(bench.run(1).file("status.json")));
    CHECK(bench.run(3).status().attempt == 4);
  };
  CHECK(bench.schedule().exit_code() == 0);
  for (const auto& file : fs::directory_iterator(bench.jobs[1].dir))
    CHECK(file.path().filename().string().find("queued") == std::string::npos);
}

TEST_CASE("with fail-fast the first failure stops the others, which save their state",
          "[scheduler]") {
  Bench bench;
  bench.options.fail_fast = true;
  bench.run(3).set_status(status_of(RunState::Failed, 1, "from before"));  // stops nothing
  bench.launcher.end = [&](std::size_t id, const RunJob&) {
    if (id == 0) return RunExit{id, 3, false};
    return RunExit{id, bench.launcher.stops.empty() ? -1 : 143, false};
  };
  const ScheduleOutcome outcome = bench.schedule();
  CHECK(outcome.exit_code() == 1);
  CHECK(outcome.signal == 0);
  CHECK(bench.launcher.stops == std::vector<bool>{false});
  CHECK(bench.launcher.started == Names{"a 1", "a 2"});
  CHECK(outcome.runs[1].phase == RunPhase::Interrupted);
  CHECK(outcome.runs[2].phase == RunPhase::Queued);
}

TEST_CASE("a run out of time is asked to save, then ended, and is tried again only on request",
          "[scheduler]") {
  const bool deaf = GENERATE(false, true);
  Bench bench;
  bench.jobs.resize(1);
  bench.options.timeout = milliseconds(30);
  bench.options.grace = milliseconds(deaf ? 30 : 60'000);
  const Names asked = deaf ? Names{"a", "a at once"} : Names{"a"};
  bench.launcher.end = [&](std::size_t id, const RunJob&) {
    const Names& stops = bench.launcher.run_stops;
    if (stops.empty() || (deaf && stops.back() != "a at once")) return RunExit{id, -1, false};
    return RunExit{id, deaf ? 137 : 143, deaf};
  };
  bench.launcher.on_poll = [] { std::this_thread::sleep_for(milliseconds(1)); };
  CHECK(bench.schedule().exit_code() == 1);
  CHECK(bench.launcher.run_stops == asked);
  const std::string reason =
      "timed out after 30 ms; --retry-failed goes on from its last checkpoint";
  CHECK(bench.recorder.reasons["a 1"] == reason);
  const RunStatus status = bench.run(0).status();
  CHECK(status.state == RunState::Failed);
  CHECK(status.reason == reason);

  bench.launcher.started.clear();
  CHECK(bench.schedule().exit_code() == 1);
  CHECK(bench.launcher.started.empty());
  bench.launcher.end = FakeLauncher::succeed;
  CHECK(bench.schedule(/*retry_failed=*/true).exit_code() == 0);
}

TEST_CASE("a status of a newer format fails its run alone and stays as it is", "[scheduler]") {
  Bench bench;
  const std::string newer = "{\"format\": 2, \"state\": \"sleeping\"}";
  write_file_atomic(bench.run(0).file("status.json"), newer);
  CHECK(bench.schedule().exit_code() == 1);
  CHECK(bench.launcher.started == Names{"a 2", "b 1", "b 2"});
  CHECK(bench.recorder.reasons["a 1"].find("newer bitlab") != std::string::npos);
  CHECK(read_file(bench.run(0).file("status.json")) == newer);
}
