// Verdicts of sweeps, on numbers that a test chooses.
#include "report/sweep_verdict.h"

#include "core/base/catch.h"
#include "report/fake_results.h"
#include "report/verdict.h"

using namespace bitlab;

namespace {

void add_point(Results& results,
               const std::string& base,
               const std::string& lr,
               const std::vector<double>& losses) {
  ArmResult arm{base + " lr=" + lr, 1000, base == "bit" ? 900 : 0, {}};
  arm.base = base;
  arm.axes = {{"optim.lr", lr, std::stod(lr)}};
  for (std::size_t i = 0; i < losses.size(); ++i)
    arm.runs.push_back(done_run(static_cast<std::int64_t>(i) + 1, losses[i], losses[i]));
  results.arms.push_back(arm);
}

Results two_by_two() {
  Results results = two_arms({}, {});
  results.arms.clear();
  add_point(results, "full", "0.001", {1.80, 1.82, 1.81});
  add_point(results, "full", "0.01", {1.70, 1.72, 1.71});
  add_point(results, "bit", "0.001", {1.90, 1.93, 1.91});
  add_point(results, "bit", "0.01", {1.72, 1.68, 1.74});
  return results;
}

}  // namespace

TEST_CASE("a sweep's verdict has best points, their comparison, and equal points", "[report]") {
  const Results results = two_by_two();
  CHECK(is_sweep(results));
  const std::string text = sweep_verdict(results);
  CHECK(text.find("full lr=0.01 is best of its 2 points at 1.7100 ± 0.0100 nats/character (3 "
                  "seeds).\nbit lr=0.01 is best of its 2 points at 1.7133 ± 0.0306") == 0);
  CHECK(text.find(
            "\nBest against best: bit lr=0.01 ends 0.003 nats/character above full lr=0.01 (") !=
        std::string::npos);
  CHECK(text.find("\nAt equal settings bit ends lower than full at 0 of 2 points and higher at 1; "
                  "at the other 1 the 95 % interval contains 0.\n") != std::string::npos);
  CHECK(verdict(results).find(text) == 0);
}

TEST_CASE("a point whose seeds diverged does not win by its one lucky seed", "[report]") {
  Results results = two_by_two();
  results.arms[1].runs[0].state = results.arms[1].runs[2].state = SeedState::Failed;
  CHECK(sweep_verdict(results).find("full lr=0.001 is best") == 0);
  for (SeedResult& run : results.arms[2].runs) run.state = SeedState::Queued;
  for (SeedResult& run : results.arms[3].runs) run.state = SeedState::Queued;
  CHECK(sweep_verdict(results).find("\nNo run of bit is done yet.\n") != std::string::npos);
}

TEST_CASE("the baseline of a sweep is an arm of the file", "[report]") {
  FakeResults fake;
  fake.change_plan(R"({"baseline": "bit"})");
  fake.add_arm("full lr=1", {1});
  fake.add_arm("bit lr=1", {1});
  fake.change_plan(R"({"arms": [
    {"name": "full lr=1", "arm": "full", "axes": {"optim.lr": 1.0, "model.linear": "a"},
     "dir": "full-1", "seeds": [1]},
    {"name": "bit lr=1", "arm": "bit", "axes": {"optim.lr": 1.0}, "dir": "bit-1",
      "seeds": [1]}]})");
  const Results results = load_results(fake.path());
  CHECK(results.baseline == "bit");
  const std::vector<SweptValue>& axes = results.arms[0].axes;
  REQUIRE(axes.size() == 2);
  CHECK(axes[0].path == "optim.lr");  // in the order of the plan, not of the alphabet
  CHECK(*axes[0].number == 1.0);
  CHECK(axes[1].text == "a");
  CHECK_FALSE(axes[1].number);
}
