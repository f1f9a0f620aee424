#include "report/details.h"

#include "core/base/catch.h"
#include "core/base/files.h"
#include "report/fake_results.h"

namespace bitlab {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void provenance(const std::filesystem::path& run, const std::string& commit) {
  write_file_atomic(run / "provenance.json",
                    R"({"started": "2026", "build": {"git": ")" + commit +
                        R"(", "flags": ["a", "b"]}, "data": {"sha256": "86c4"},)"
                        R"("attempts": [{"attempt": 1, "threads": 1}]})");
}

void fill(FakeResults& fake) {
  fake.add_arm("full", {1});
  fake.add_arm("bit", {1});
  fake.finish("full", 1, 1.75, 1.5);
  fake.finish("bit", 1, 2.0, 2.0);
  provenance(fake.run("full", 1), "abc");
  provenance(fake.run("bit", 1), "def");
  const std::string head = "seeds = [1]  # x.toml:1\n\n[optim]\nclip = 0.0  # default\n";
  write_file_atomic(fake.run("full", 1) / "config.toml", head + "lr = 0.001  # x.toml:3\n");
  write_file_atomic(fake.run("bit", 1) / "config.toml",
                    head + "lr = 0.002  # x.toml:4\nnew = true  # default\n");
}

TEST_CASE("one run in full: what is not the default, where it comes from, its files", "[report]") {
  FakeResults fake;
  fill(fake);
  const std::string text = run_details(read_run(fake.run("full", 1)));
  CHECK(contains(text, "fake/00000000-1  full seed 1\n"));
  CHECK(contains(text, "  state          done\n"));
  CHECK(contains(text, "  val_loss       1.7500\n"));
  CHECK(contains(text, "  optim.lr  0.001  # x.toml:3\n"));
  CHECK_FALSE(contains(text, "optim.clip"));
  CHECK(contains(text, "  build.git           abc\n"));
  CHECK(contains(text, "  build.flags         [\"a\",\"b\"]\n"));
  CHECK(contains(text, "  attempts.0.threads  1\n"));
  CHECK(contains(text, "  metrics.h5       "));
}

TEST_CASE("a run in a folder without a plan can be shown too", "[report]") {
  FakeResults fake;
  fill(fake);
  std::filesystem::remove(fake.path() / "plan.json");
  const RunRecord run = read_run(fake.run("bit", 1));
  CHECK(run.id == "00000000-1");
  CHECK(run.base == "bit");
  CHECK(contains(run_details(run), "  val_loss       2.0000\n"));
}

TEST_CASE("a run that was set aside or taken elsewhere is called what it is", "[report]") {
  FakeResults fake;
  fill(fake);
  const std::filesystem::path run = fake.run("bit", 1), old = run.string() + ".old",
                              elsewhere = fake.path() / "taken" / "away";
  std::filesystem::copy(run, old, std::filesystem::copy_options::recursive);
  std::filesystem::create_directories(elsewhere.parent_path());
  std::filesystem::copy(run, elsewhere, std::filesystem::copy_options::recursive);
  CHECK(read_run(old).experiment == fake.path().filename().string());
  CHECK(read_run(old).base == "bit");
  CHECK(read_run(old).run.seed == 1);
  CHECK(read_run(old).id == "00000000/seed-1.old");
  CHECK(read_run(elsewhere).id == "away");
  CHECK(run_details(read_run(elsewhere)).starts_with("away  "));
}

TEST_CASE("two runs: what differs, and nothing else", "[report]") {
  FakeResults fake;
  fill(fake);
  const RunRecord full = read_run(fake.run("full", 1)), bit = read_run(fake.run("bit", 1));
  std::string told;
  for (const Difference& d : differences(full, bit))
    told += d.section + " " + d.key + " " + d.left + " " + d.right + " " + d.change + "\n";
  CHECK(told ==
        "run arm full bit \n"
        "settings optim.lr 0.001 0.002 \n"
        "settings optim.new – true \n"
        "build git abc def \n"
        "metrics val_loss 1.75 2 +0.25\n"
        "metrics val_loss_best 1.5 2 +0.5\n");
  CHECK(contains(differences_text(full, bit), "  optim.lr       0.001  0.002\n"));
  CHECK(differences(full, full).empty());
  CHECK(contains(differences_text(full, full), "do not differ"));
}

}  // namespace
}  // namespace bitlab
