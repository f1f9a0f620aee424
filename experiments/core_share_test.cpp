// How cores are shared among runs, and in which order these can go.
#include "experiments/core_share.h"

#include "core/base/catch.h"

namespace bitlab {
namespace {

// An arm `full` and two that learn from it, each with seeds 1 and 2; batches of `shards`.
struct Family {
  explicit Family(std::int64_t shards) {
    plan.results = "results";
    plan.seeds = {1, 2};
    plan.arms = {{"first", "first", {}, "a", "first-a"},
                 {"second", "second", {}, "b", "second-b"},
                 {"full", "full", {}, "c", "full-c"}};
    plan.arms[0].needs = plan.arms[1].needs = {2};
    experiment.arms.resize(3);
    for (Arm& arm : experiment.arms) arm.spec.train.shards = shards;
    for (const PlannedRun& run : plan.runs()) outlooks.push_back({run, Fate::New, 0, "", ""});
  }
  CoreShare share(std::size_t cores, const CoreShare& asked = {0, 0}) const {
    return share_cores(cores, asked, experiment, plan, outlooks);
  }
  Plan plan;
  Experiment experiment;
  std::vector<Outlook> outlooks;  // first 1, second 1, full 1, first 2, second 2, full 2
};

void check(const CoreShare& share, std::size_t slots, std::size_t threads) {
  CHECK(share.slots == slots);
  CHECK(share.threads == threads);
}

TEST_CASE("what comes before a run is what it needs and is still to be run", "[planning]") {
  Family family(1);
  CHECK(runs_before(family.plan, family.outlooks) == RunsBefore{{2}, {2}, {}, {5}, {5}, {}});
  family.outlooks[2].fate = Fate::Done;
  family.outlooks[4].fate = Fate::Done;
  CHECK(runs_before(family.plan, family.outlooks) == RunsBefore{{}, {}, {}, {5}, {}, {}});
}

TEST_CASE("threads are cores that no run would use otherwise", "[planning]") {
  const Family whole(4);  // two runs at once, then four
  check(whole.share(1), 1, 1);
  check(whole.share(2), 2, 1);
  check(whole.share(8), 4, 2);
  check(whole.share(12), 6, 2);   // three would take as many rounds as two
  check(whole.share(64), 16, 4);  // no more than shards
  check(Family(1).share(64), 64, 1);

  Family last(4);  // one run is left, or a chain of two
  for (std::size_t i = 0; i < 5; ++i) last.outlooks[i].fate = Fate::Done;
  check(last.share(2), 1, 2);
  last.outlooks[3].fate = Fate::Resume;
  check(last.share(2), 1, 2);
  for (Outlook& o : last.outlooks) o.fate = Fate::Done;
  check(last.share(2), 2, 1);
}

TEST_CASE("a batch takes as many rounds as some thread has shards", "[planning]") {
  CHECK(shard_rounds(1, 1) == 1);
  CHECK(shard_rounds(4, 1) == 4);
  CHECK(shard_rounds(4, 2) == 2);
  CHECK(shard_rounds(4, 3) == 2);
  CHECK(shard_rounds(4, 9) == 1);
}

TEST_CASE("what the user asks for is done", "[planning]") {
  const Family family(4);
  check(family.share(8, {0, 4}), 2, 4);
  check(family.share(8, {0, 16}), 1, 16);
  check(family.share(8, {2, 0}), 2, 4);
  check(family.share(8, {100, 0}), 100, 2);
  check(family.share(2, {3, 5}), 3, 5);
}

TEST_CASE("the end of all runs heeds slots, their order, and what comes first", "[planning]") {
  const RunsBefore free(4);
  CHECK(seconds_until_all_end({}, {}, 2) == 0);
  CHECK(seconds_until_all_end({5, 0, 3, 4}, free, 1) == 12);
  CHECK(seconds_until_all_end({5, 0, 3, 4}, free, 2) == 7);  // 4 begins when 3 ends
  CHECK(seconds_until_all_end({5, 0, 3, 4}, free, 9) == 5);
  CHECK(seconds_until_all_end({5, 0, 3, 4}, {{2}, {}, {}, {}}, 2) == 8);
  CHECK(seconds_until_all_end({5, 0, 3, 4}, {{2}, {}, {3}, {}}, 9) == 12);  // a chain
  CHECK(seconds_until_all_end({5, 0, 3, 4}, {{1}, {}, {}, {}}, 9) == 5);    // 1 is not run
}

}  // namespace
}  // namespace bitlab
