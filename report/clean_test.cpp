#include "report/clean.h"

#include <unistd.h>

#include <algorithm>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/file_lock.h"
#include "core/base/files.h"
#include "report/fake_results.h"

namespace bitlab {
namespace {

namespace fs = std::filesystem;

constexpr CleanScope kFinished{.finished = true};

// Seeds: 1 done, 2 failed, 3 interrupted, 4 running, 5 pruned, 6 queued; beside them a finished and
// a failed run of an earlier plan.
void fill(FakeResults& fake) {
  fake.add_arm("full", {1, 2, 3, 4, 5, 6});
  fake.finish("full", 1, 1.8, 1.8);
  fake.set_status("full", 2, R"({"state": "failed", "reason": "diverged at step 7"})");
  fake.set_status("full", 3, R"({"state": "interrupted", "step": 5})");
  fake.set_status("full", 4, R"({"state": "running"})");
  fake.set_status("full", 5, R"({"state": "pruned"})");
  const fs::path old = fake.path() / "full-0123abcd";
  write_file_atomic(old / "seed-1" / "status.json", R"({"state": "done", "val_loss": 2.0})");
  write_file_atomic(old / "seed-1" / "DONE", "");
  write_file_atomic(old / "seed-2" / "status.json", R"({"state": "failed"})");
}

// Their paths below the results folder, sorted.
std::vector<std::string> paths(const FakeResults& fake, const std::vector<Leftover>& all) {
  std::vector<std::string> list;
  for (const Leftover& one : all) list.push_back(fs::relative(one.path, fake.path()).string());
  std::sort(list.begin(), list.end());
  return list;
}

TEST_CASE("what came to nothing is left over, and nothing that is done or held", "[report]") {
  FakeResults fake;
  fill(fake);
  const auto lock = FileLock::try_take(fake.run("full", 4) / "lock");
  const std::vector<Leftover> found = find_leftovers(fake.path(), "", {});
  CHECK(paths(fake, found) ==
        std::vector<std::string>{"full-00000000/seed-2", "full-0123abcd/seed-2"});
  for (const Leftover& one : found) {
    CHECK(one.run);
    CHECK_FALSE(one.finished);
    CHECK(one.bytes > 0);
  }
  CHECK(found[0].what == "run 00000000-2, full seed 2: failed: diverged at step 7");

  // Seed 3 would be resumed, so it has to be asked for.
  const std::vector<Leftover> more =
      find_leftovers(fake.path(), "state=interrupted", {.interrupted = true});
  CHECK(paths(fake, more) == std::vector<std::string>{"full-00000000/seed-3"});
  CHECK(more[0].what == "run 00000000-3, full seed 3: interrupted at step 5 of 1000");
}

TEST_CASE("runs that are done are left over only if that is told", "[report]") {
  FakeResults fake;
  fill(fake);
  const std::vector<Leftover> found = find_leftovers(fake.path(), "state=done", kFinished);
  CHECK(paths(fake, found) ==
        std::vector<std::string>{"full-00000000/seed-1", "full-0123abcd/seed-1"});
  for (const Leftover& one : found) CHECK(one.finished);
  CHECK(find_leftovers(fake.path(), "state=done", {}).empty());
  CHECK(paths(fake, find_leftovers(fake.path(), "plan=earlier", kFinished)) ==
        std::vector<std::string>{"full-0123abcd/seed-1", "full-0123abcd/seed-2"});
  // A status that cannot be read does not make a run that is done unfinished.
  write_file_atomic(fake.run("full", 1) / "status.json", "{");
  CHECK(find_leftovers(fake.path(), "seed=1 and plan=last", {}).empty());
}

TEST_CASE("temporary files are left over when their process is gone", "[report]") {
  FakeResults fake;
  fake.add_arm("full", {1, 2});
  fake.finish("full", 1, 1.8, 1.8);
  fake.set_status("full", 2, R"({"state": "running"})");
  const auto lock = FileLock::try_take(fake.run("full", 2) / "lock");
  write_file_atomic(fake.path() / "plan.json.tmp999999999-5", "x");
  write_file_atomic(fake.path() / ("plan.json.tmp" + std::to_string(::getpid()) + "-5"), "x");
  write_file_atomic(fake.run("full", 1) / "metrics.h5.tmp", "x");
  write_file_atomic(fake.run("full", 2) / "metrics.h5.tmp", "x");
  write_file_atomic(fake.run("full", 1) / "a.tmpl", "no temporary");
  CHECK(
      paths(fake, find_leftovers(fake.path(), "", {})) ==
      std::vector<std::string>{"full-00000000/seed-1/metrics.h5.tmp", "plan.json.tmp999999999-5"});
}

TEST_CASE("a run is deleted whole, unless a worker has just begun it", "[report]") {
  FakeResults fake;
  fill(fake);
  const std::vector<Leftover> found = find_leftovers(fake.path(), "state=failed", {});
  REQUIRE(found.size() == 2);
  {
    const auto lock = FileLock::try_take(fake.run("full", 2) / "lock");
    CHECK_FALSE(remove_leftover(found[0]));
    CHECK(fs::exists(fake.run("full", 2) / "status.json"));
  }
  // Another command finished it while somebody was asked.
  write_file_atomic(fake.run("full", 2) / "DONE", "");
  CHECK_FALSE(remove_leftover(found[0]));
  fs::remove(fake.run("full", 2) / "DONE");
  CHECK(remove_leftover(found[0]));
  CHECK_FALSE(fs::exists(fake.run("full", 2)));
  CHECK(fs::exists(fake.run("full", 1) / "DONE"));
  CHECK(remove_leftover(found[1]));
  CHECK(fs::exists(fake.path() / "full-0123abcd" / "seed-1" / "DONE"));
  for (const Leftover& one : find_leftovers(fake.path(), "plan=earlier", kFinished))
    CHECK(remove_leftover(one));
  CHECK_FALSE(fs::exists(fake.path() / "full-0123abcd"));
}

}  // namespace
}  // namespace bitlab
