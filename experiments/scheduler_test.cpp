// Which runs are started, and what becomes of them.
#include "experiments/scheduler_test.h"

using namespace bitlab;
namespace fs = std::filesystem;
using std::chrono::milliseconds;

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

TEST_CASE("a status that a power cut left empty is none", "[scheduler]") {
  Bench bench;
  write_file_atomic(bench.run(1).file("status.json"), "");
  CHECK(bench.schedule().exit_code() == 0);
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
