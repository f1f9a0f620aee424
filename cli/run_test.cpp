// What `bitlab run` was asked for, and the texts that it shows of a sweep.
#include "cli/dry_run.h"
#include "cli/progress.h"
#include "cli/run_options.h"
#include "cli/sweep_text.h"
#include "core/base/catch.h"
#include "core/base/error.h"

namespace bitlab {
namespace {

Plan two_arms() {
  Plan plan;
  plan.arms = {{"a lr=0.001", "a", {{"optim.lr", "0.001"}}, "0000000a", "a-0000000a"},
               {"b", "b", {}, "0000000b", "b-0000000b"}};
  plan.seeds = {1, 12};
  return plan;
}

TEST_CASE("a run request keeps words apart from options", "[cli]") {
  const RunRequest r = parse_run_request(
      {"x", "-n", "optim.lr=1,2", "--jobs", "3", "--max-runs", "5", "--retry-failed", "seed=1..2"});
  CHECK(r.experiment == "x");
  CHECK(r.overrides == std::vector<std::string>{"optim.lr=1,2", "seed=1..2", "sweep.max_runs=5"});
  CHECK(r.share.slots == 3);
  CHECK(r.share.threads == 0);
  CHECK(r.dry_run);
  CHECK(r.schedule.retry_failed);
  CHECK_FALSE(r.rerun);
  CHECK(r.command == "bitlab run x -n optim.lr=1,2 --jobs 3 --max-runs 5 --retry-failed seed=1..2");
  CHECK(parse_run_request({"x", "-t", "4"}).share.threads == 4);
  for (const char* option : {"--jobs", "--threads", "--max-runs"})
    CHECK_THROWS_AS(parse_run_request({"x", option, "0"}), UsageError);
  CHECK_THROWS_AS(parse_run_request({}), UsageError);
  CHECK_THROWS_AS(parse_run_request({"x", "--dry"}), UsageError);
}

TEST_CASE("how runs are got done is checked before anything is read", "[cli]") {
  const RunRequest r =
      parse_run_request({"x", "--timeout", "1.5m", "--prune=median", "--fail-fast"});
  CHECK(r.overrides == std::vector<std::string>{"prune.rule=\"median\""});
  const ScheduleOptions options = schedule_options(r.schedule);
  CHECK(options.timeout == std::chrono::seconds(90));
  CHECK(options.fail_fast);
  CHECK(options.pruner == nullptr);
  CHECK(schedule_options({}).timeout.count() == 0);
  for (const char* time : {"90", "-1s", "0s", "1 h", "soon", "1d", "1e99h"})
    CHECK_THROWS_AS(parse_run_request({"x", "--timeout", time}), UsageError);
  CHECK_THROWS_AS(parse_run_request({"x", "--prune", "ashes"}), UsageError);
}

TEST_CASE("a dry run has a line a run and counts", "[cli]") {
  Plan plan = two_arms();
  const std::vector<PlannedRun> runs = plan.runs();
  std::vector<Outlook> outlooks = {{runs[0], Fate::Done, 0, "", "abc"},
                                   {runs[1], Fate::Resume, 400, "", ""},
                                   {runs[2], Fate::New, 0, "", ""},
                                   {runs[3], Fate::Failed, 0, "diverged at step 7", ""}};
  const TimeEstimate time = {{0, 21, 42, 0}, 63, {"finished runs of a", "FLOPs at 40 GFLOP/s"}};
  CHECK(dry_run_page(plan, outlooks, time, {1, 1}) ==
        "run          arm         seed       about  what happens\n"
        "0000000a-1   a lr=0.001     1           -  done, by build abc\n"
        "0000000b-1   b              1        21 s  resume at step 400\n"
        "0000000a-12  a lr=0.001    12        42 s  new\n"
        "0000000b-12  b             12           -  failed: diverged at step 7; --retry-failed "
        "tries again\n"
        "\n"
        "4 runs: 1 new, 1 to resume, 1 done, 1 failed; about 1 min 03 s with 1 at once, by "
        "finished runs of a, and by FLOPs at 40 GFLOP/s\n");
  plan.arms[0].needs = {1};  // which of seed 1 is on its way, and of seed 12 will not be done
  outlooks[0].fate = Fate::Retry;
  outlooks[0].reason = "diverged";
  const std::string page = dry_run_page(plan, outlooks, time, {3, 2});
  INFO(page);
  CHECK(page.find(
            "retry after failure from the start, no checkpoint was saved: diverged, after b\n") !=
        std::string::npos);
  CHECK(page.find("42 s  new\n") != std::string::npos);
  CHECK(page.find("with 3 at once of 2 threads, by") != std::string::npos);
  outlooks.resize(1);
  outlooks[0] = {runs[0], Fate::Done, 0, "", "abc"};
  CHECK(dry_run_page(plan, outlooks, {{0}, 0, {}}, {2, 1}) ==
        "run         arm         seed       about  what happens\n"
        "0000000a-1  a lr=0.001     1           -  done, by build abc\n"
        "\n"
        "1 run: 1 done\n");
}

TEST_CASE("a sweep is one line: few values are named, many are a range", "[cli]") {
  CHECK(sweep_text_of(two_arms().arms) == "optim.lr 0.001");
  CHECK(sweep_text({{}, {}}).empty());
  std::vector<std::vector<AxisValue>> points;
  for (const char* lr : {"3e-04", "0.001", "0.003", "0.01", "0.03"})
    for (const char* norm : {"\"none\"", "\"rmsnorm\""})
      points.push_back({{"optim.lr", lr}, {"model.bitlinear.norm", norm}});
  CHECK(sweep_text(points) ==
        "optim.lr 0.0003 .. 0.03 (5 values); model.bitlinear.norm none, rmsnorm");
}

TEST_CASE("how far something is, and how long it will take", "[cli]") {
  CHECK(progress_text("wiki", 3'200'000, 12'800'000, "MB", 1e6, 40) ==
        "wiki: 3.2 of 12.8 MB (25 %), 40 s left");
  CHECK(progress_text("judged", 7, 1000, "windows", 1, 3 * 3600 + 300) ==
        "judged: 7 of 1000 windows (0 %), 3 h 05 min left");
  CHECK(progress_text("judged", 1000, 1000, "windows", 1, -1) ==
        "judged: 1000 of 1000 windows (100 %)");
}

}  // namespace
}  // namespace bitlab
