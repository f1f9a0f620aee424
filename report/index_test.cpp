#include "report/index.h"

#include <cmath>

#include "core/base/catch.h"
#include "core/base/file_lock.h"
#include "core/base/files.h"
#include "report/compare.h"
#include "report/fake_results.h"
#include "report/overview.h"

namespace bitlab {
namespace {

void write_config(const std::filesystem::path& run, const std::string& lr) {
  write_file_atomic(run / "config.toml",
                    "# arm full\ntitle = \"x # y\"  # f.toml:1\n\n[optim]\nlr = " + lr +
                        "  # f.toml:2\nclip = 0.0  # default\n");
}

TEST_CASE("the index has every run of the plan, and what earlier plans left", "[report]") {
  FakeResults fake;
  fake.add_arm("full", {1, 2}, 100, 10);
  fake.finish("full", 1, 1.8, 1.7);
  fake.set_status("full", 1,
                  R"({"val_loss": 1.8, "val_loss_best": 1.7, "train_loss": 1.5,
                      "started": "2026-01-01T00:00:00Z"})");
  write_config(fake.run("full", 1), "0.001");
  write_file_atomic(fake.run("full", 1) / "provenance.json", R"({"build": {"git": "abc"}})");
  fake.change_plan(R"({"data": {"source": "some", "val_tokens": 100, "val_bytes": 400}})");
  const auto old = fake.path() / "full-0123abcd" / "seed-7";
  write_config(old, "0.5");
  write_file_atomic(old / "status.json",
                    R"({"state": "failed", "reason": "diverged at step 3", "val_loss": 2})");
  write_file_atomic(old / "provenance.json", R"({"data": {"val_tokens": 100, "val_bytes": 200}})");
  std::filesystem::create_directories(fake.path() / "report" / "seed-1");  // no arm's folder
  std::filesystem::create_directories(fake.path() / "full-0123abcd" / "seed-x");

  const std::vector<RunRecord> runs = read_index(fake.path());
  REQUIRE(runs.size() == 3);
  CHECK(runs[0].id == "00000000-1");
  CHECK(runs[0].experiment == "fake");
  CHECK(runs[0].arm == "full");
  CHECK(runs[0].planned);
  CHECK(runs[0].params == 100);
  CHECK(runs[0].run.done());
  CHECK(final_val_loss(runs[0].run) == 1.8);
  CHECK(best_val_loss(runs[0].run) == 1.7);
  CHECK(final_train_loss(runs[0].run) == 1.5);
  CHECK(runs[0].run.started == "2026-01-01T00:00:00Z");
  CHECK(runs[0].build == "abc");
  CHECK(runs[0].val_bits_per_byte.value() == Approx(1.8 / 4 / std::log(2.0)));
  CHECK_FALSE(runs[1].val_bits_per_byte);
  CHECK(runs[0].settings.at("optim.lr").toml == "0.001");
  CHECK(runs[0].settings.at("optim.lr").origin == "f.toml:2");
  CHECK(runs[0].settings.at("title").toml == "\"x # y\"");
  CHECK(runs[1].run.state == SeedState::Queued);
  CHECK(runs[1].settings.empty());
  CHECK(runs[2].id == "0123abcd-7");
  CHECK_FALSE(runs[2].planned);
  CHECK(runs[2].arm == "full");
  CHECK(runs[2].run.seed == 7);
  CHECK(runs[2].run.state == SeedState::Failed);
  CHECK(runs[2].val_bits_per_byte.value() == Approx(1 / std::log(2.0)));
}

TEST_CASE("the index leaves metrics alone where the status has the losses", "[report]") {
  FakeResults fake;
  fake.add_arm("full", {1, 2});
  for (int seed : {1, 2}) fake.finish("full", seed, 1.8, 1.7, 1.6);
  fake.set_status("full", 1, R"({"val_loss": 1.25})");
  write_file_atomic(fake.run("full", 1) / "metrics.h5", "no HDF5");
  const std::vector<RunRecord> runs = read_index(fake.path());
  CHECK(final_val_loss(runs[0].run) == 1.25);
  CHECK(final_val_loss(runs[1].run) == 1.8);  // of an older version: from the metrics
  CHECK(final_train_loss(runs[1].run) == 1.6);
}

TEST_CASE("a run goes on as long as its lock is held", "[report]") {
  FakeResults fake;
  fake.add_arm("full", {1});
  fake.set_status("full", 1, R"({"state": "running", "step": 100})");
  write_file_atomic(fake.run("full", 1) / "progress.json",
                    R"({"step": 250, "steps": 1000, "loss": 2.5, "val_loss": null,
                        "tokens_per_s": 1000.0, "eta_seconds": 30.0})");
  {
    const auto lock = FileLock::try_take(fake.run("full", 1) / "lock");
    REQUIRE(lock);
    CHECK_FALSE(FileLock::try_take(fake.run("full", 1) / "lock"));
    const Overview now = overview(fake.path());
    REQUIRE(now.runs.size() == 1);
    CHECK(now.runs[0].run.state == SeedState::Running);
    CHECK(now.runs[0].run.step == 250);
    CHECK(now.runs[0].run.live->loss == 2.5);
    CHECK(std::isnan(now.runs[0].run.live->val_loss));
    CHECK(seconds_left(now) == 30);
    CHECK(status_text(now) ==
          now.name +
              ": 0 of 1 done, 1 running; 25 % of all steps; about 30 s left\n"
              "id          arm   seed      step       %    loss  val  tok/s   eta\n"
              "00000000-1  full     1  250/1000  25.0 %  2.5000    –   1.0k  30 s\n");
  }
  CHECK(overview(fake.path()).runs[0].run.state == SeedState::Interrupted);
}

TEST_CASE("what is left takes as long as the finished runs of the arm did", "[report]") {
  FakeResults fake;
  fake.add_arm("full", {1, 2, 3, 4});
  fake.finish("full", 1, 1.8, 1.7);  // 52 s of wall time for 1000 steps
  fake.set_status("full", 2, R"({"state": "running"})");
  const auto lock = FileLock::try_take(fake.run("full", 2) / "lock");
  write_file_atomic(fake.run("full", 2) / "progress.json",
                    R"({"step": 500, "steps": 1000, "tokens_per_s": 9.0, "eta_seconds": 26.0})");
  CHECK(seconds_left(overview(fake.path())) == Approx(26 + 2 * 52));
}

TEST_CASE("one row a run: swept settings first, then those that differ", "[report]") {
  FakeResults fake;
  fake.add_arm("full", {1, 2});
  fake.finish("full", 1, 1.8, 1.7);
  fake.finish("full", 2, 1.6, 1.5);
  write_config(fake.run("full", 1), "0.001");
  write_config(fake.run("full", 2), "0.002");
  std::vector<RunRecord> runs = read_index(fake.path());
  CHECK(differing_settings(runs) == std::vector<std::string>{"optim.lr"});
  sort_runs(runs, "val_loss");
  CHECK(runs[0].run.seed == 2);
  sort_runs(runs, "arm,-val_loss");
  CHECK(runs[0].run.seed == 1);
  CHECK(format_values(compare_table(runs, true), TableFormat::Csv) ==
        "id,seed,optim.lr,val_loss,val_loss_best\n"
        "00000000-1,1,0.001,1.8,1.7\n"
        "00000000-2,2,0.002,1.6,1.5\n");
  CHECK(format_values(compare_table(runs, false), TableFormat::Markdown) ==
        "| id         | arm  | seed |    lr | state | step | val loss | val loss best | train loss "
        "| tokens/s | wall time |\n"
        "|------------|------|-----:|------:|-------|-----:|---------:|--------------:|-----------:"
        "|---------:|----------:|\n"
        "| 00000000-1 | full |    1 | 0.001 | done  | 1000 |   1.8000 |        1.7000 |     1.5000 "
        "|   63,000 |      52 s |\n"
        "| 00000000-2 | full |    2 | 0.002 | done  | 1000 |   1.6000 |        1.5000 |     1.5000 "
        "|   63,000 |      52 s |\n");
}

}  // namespace
}  // namespace bitlab
