#include "experiments/status_screen.h"

#include <cmath>
#include <csignal>
#include <fstream>
#include <sstream>

#include "core/base/catch.h"
#include "core/io/test_folder.h"

using namespace bitlab;

namespace {

RunView view(RunPhase phase, std::int64_t step = 0) {
  RunView run;
  run.job = {"x", "babyGPT", 2, 5000, "/nowhere/babyGPT/seed-2"};
  run.phase = phase;
  if (step > 0) run.progress = RunProgress{step, 5000, 2.10344, 2.2, 63123, 102};
  return run;
}

}  // namespace

TEST_CASE("a status line has arm, seed, state, step, share, losses, speed and time left",
          "[status]") {
  CHECK(
      status_line(view(RunPhase::Running, 1250), 10) ==
      "babyGPT        2  running          1250/5000   25.0%   2.1034   2.2000    63.1k   1:42 min");
  CHECK(status_line(view(RunPhase::Queued), 7) == "babyGPT     2  queued     ");
  RunView first = view(RunPhase::Running, 1);
  first.progress->loss = first.progress->val_loss = std::nan("");
  first.progress->tokens_per_s = first.progress->eta_seconds = 0;
  CHECK(status_line(first, 7) ==
        "babyGPT     2  running             1/5000    0.0%        -        -        -          -");
  RunView failed = view(RunPhase::Failed, 9);
  failed.reason = "two\nlines";
  CHECK(status_line(failed, 7) == "babyGPT     2  FAILED       two");
}

TEST_CASE("plain output has one line an event and about one a tenth of a run", "[status]") {
  std::ostringstream out;
  StatusScreen screen(out, -1);
  screen.on_begin({view(RunPhase::Queued)}, 2);
  screen.on_change(view(RunPhase::Running));
  for (std::int64_t step = 1; step <= 5000; step += 7)
    screen.on_tick({view(RunPhase::Running, step)});
  RunView done = view(RunPhase::Done, 5000);
  done.status.wall_seconds = 81;
  screen.on_change(done);
  screen.on_end({done});
  std::istringstream lines(out.str());
  std::vector<std::string> all;
  for (std::string line; std::getline(lines, line);) all.push_back(line);
  REQUIRE(all.size() == 2 + 9 + 1);
  CHECK(all[0] == "1 run; 1 at once");
  CHECK(all[1] == "babyGPT seed 2: started");
  CHECK(
      all[2] ==
      "babyGPT seed 2: step 505/5000 10 % | loss 2.1034 | val 2.2000 | 63.1k tok/s | eta 1:42 min");
  CHECK(all[11] == "babyGPT seed 2: done in 1:21 min, val 2.2000");
  CHECK(out.str().find('\x1b') == std::string::npos);
}

TEST_CASE("the first line counts what is done, failed, resumed and elsewhere", "[status]") {
  std::ostringstream out;
  StatusScreen screen(out, -1);
  RunView resumed = view(RunPhase::Queued);
  resumed.status.step = 300;
  screen.on_begin({view(RunPhase::Done), view(RunPhase::Done), view(RunPhase::Failed), resumed,
                   view(RunPhase::Elsewhere)},
                  2);
  screen.on_change([&] {
    RunView r = resumed;
    r.phase = RunPhase::Running;
    return r;
  }());
  CHECK(out.str() ==
        "5 runs, 2 done before, 1 to be resumed, 1 failed before (--retry-failed tries again), "
        "1 running in another process; 2 at once\nbabyGPT seed 2: resumed at step 300\n");
}

TEST_CASE("a failure is told with its reason, its log and the log's last ten lines", "[status]") {
  TestFolder folder;
  std::ofstream log(folder / "log.txt");
  for (int i = 1; i <= 200; ++i) log << "line " << i << "\n";
  log << "last, unfinished";
  log.close();
  RunView run = view(RunPhase::Failed);
  run.job.dir = folder.path();
  run.reason = "diverged at step 120";
  std::ostringstream out;
  StatusScreen(out, -1).on_change(run);
  std::string expected =
      "babyGPT seed 2: FAILED: diverged at step 120\n  " + (folder / "log.txt").string() + "\n";
  for (int i = 192; i <= 200; ++i) expected += "  | line " + std::to_string(i) + "\n";
  CHECK(out.str() == expected + "  | last, unfinished\n");
}

TEST_CASE("the end of a missing, empty or huge log is found", "[status]") {
  TestFolder folder;
  CHECK(last_lines(folder / "none", 10).empty());
  std::ofstream(folder / "empty").close();
  CHECK(last_lines(folder / "empty", 10).empty());
  std::ofstream big(folder / "big");
  for (int i = 0; i < 100000; ++i) big << i << "\n";
  big.close();
  CHECK(last_lines(folder / "big", 2) == "99998\n99999\n");
}

TEST_CASE("a stop is told with what a second one does", "[status]") {
  std::ostringstream out;
  StatusScreen screen(out, -1);
  screen.on_stop(SIGINT, false);
  screen.on_stop(SIGINT, true);
  CHECK(out.str() ==
        "stopping (Ctrl-C): the workers save their state; once more ends them at once\n"
        "ending the workers at once; the last checkpoints stay\n");
}
