#include "report/pivot.h"

#include "core/base/catch.h"
#include "core/base/error.h"
#include "report/fake_results.h"

namespace bitlab {
namespace {

// bit and full at two learning rates and two seeds: 10 + arm + seed where all is well; at the high
// rate seed 1 of bit was pruned and seed 2 diverged.
std::vector<RunRecord> sweep() {
  std::vector<RunRecord> runs;
  for (const char* base : {"full", "bit"})
    for (const char* lr : {"0.01", "0.001"})  // not in the order of their values
      for (int seed : {1, 2}) {
        RunRecord& r = runs.emplace_back();
        r.base = base;
        r.run.seed = seed;
        r.run.state = SeedState::Done;
        r.run.val_loss = 10 + (r.base == "bit" ? 2 : 0) + seed;
        r.settings["optim.lr"] = {lr, "sweep"};
        if (r.base == "full" || std::string(lr) == "0.001") continue;
        r.run.state = seed == 1 ? SeedState::Pruned : SeedState::Failed;
        r.run.reason = seed == 1 ? "worse than the median" : "diverged at step 3";
      }
  return runs;
}

TEST_CASE("two settings are the sides, a metric is in the cells", "[report]") {
  CHECK(pivot_table(sweep(), {"arm", "lr", "val_loss", "mean,sd,n"}, TableFormat::Markdown) ==
        "| arm / lr |                0.001 |                 0.01 |\n"
        "|----------|---------------------:|---------------------:|\n"
        "| full     | 11.5000 ± 0.7071 (2) | 11.5000 ± 0.7071 (2) |\n"
        "| bit      | 13.5000 ± 0.7071 (2) | 1 diverged, 1 pruned |\n");
  CHECK(pivot_table(sweep(), {"optim.lr", "", "val_loss", "min,max"}, TableFormat::Markdown) ==
        "| lr    |                                       val_loss |\n"
        "|-------|-----------------------------------------------:|\n"
        "| 0.001 |                       min 11.0000, max 14.0000 |\n"
        "| 0.01  | min 11.0000, max 12.0000; 1 diverged, 1 pruned |\n");
}

TEST_CASE("programs get one line a cell", "[report]") {
  CHECK(pivot_table(sweep(), {"arm", "lr", "val_loss", "mean,n"}, TableFormat::Csv) ==
        "arm,optim.lr,mean,n,failed,diverged,pruned,unfinished\n"
        "full,0.001,11.5,2,0,0,0,0\n"
        "full,0.01,11.5,2,0,0,0,0\n"
        "bit,0.001,13.5,2,0,0,0,0\n"
        "bit,0.01,,0,0,1,1,0\n");
  const std::string json =
      pivot_table(sweep(), {"arm", "lr", "val_loss", "mean,n"}, TableFormat::Json);
  CHECK(json.find("\"mean\": null") != std::string::npos);
  CHECK(pivot_table(sweep(), {}, TableFormat::Tex).find("full & 11.5000 $\\pm$") !=
        std::string::npos);
}

TEST_CASE("one seed has a mean and no spread", "[report]") {
  std::vector<RunRecord> runs = sweep();
  runs.resize(1);
  CHECK(pivot_table(runs, {}, TableFormat::Markdown).find("| 11.0000 (1) |") != std::string::npos);
}

TEST_CASE("what cannot be aggregated is refused, with what was meant", "[report]") {
  CHECK(message_of([] {
          pivot_table(sweep(), {"arm", "", "val_loss", "maen"}, TableFormat::Csv);
        }).find("did you mean 'mean'") != std::string::npos);
  CHECK(message_of([] {
          pivot_table(sweep(), {"arn", "", "val_loss", "n"}, TableFormat::Csv);
        }).find("[--rows] 'arn' must be") != std::string::npos);
  CHECK_THROWS_AS(pivot_table(sweep(), {"arm", "", "val_loss", ""}, TableFormat::Csv), UsageError);
}

}  // namespace
}  // namespace bitlab
