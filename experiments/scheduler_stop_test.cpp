// Schedules that are stopped, fail fast or run out of time.
#include "experiments/scheduler_test.h"

using namespace bitlab;
namespace fs = std::filesystem;
using std::chrono::milliseconds;

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

TEST_CASE("with fail-fast nothing starts behind a run that cannot", "[scheduler]") {
  Bench bench;
  bench.options.fail_fast = true;
  bench.launcher.refuses = "a";
  CHECK(bench.schedule().exit_code() == 1);
  CHECK(bench.launcher.started.empty());
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
