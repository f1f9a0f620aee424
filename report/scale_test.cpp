// A thousand finished runs: what looks at all of them must not take long.
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/catch.h"
#include "core/base/files.h"
#include "report/compare.h"
#include "report/fake_results.h"
#include "report/filter.h"
#include "report/report.h"

namespace bitlab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kArms = 50, kSeeds = 20;

// Seconds of processor that this process and those that it waited for (gnuplot) have used: on a
// machine with nothing else to do the time that passes, and the same on a busy one.
double used_seconds() {
  double sum = 0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    ::getrusage(who, &usage);
    for (const timeval& t : {usage.ru_utime, usage.ru_stime})
      sum += static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  }
  return sum;
}

void write_quickly(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

// Metrics as a run of 5000 steps leaves them: 100 rows of training, 42 evaluations, 2400 of codes.
void write_metrics(const fs::path& path) {
  MetricsWriter writer = MetricsWriter::create(path, {{"experiment", "fake"}});
  for (int i = 1; i <= 100; ++i)
    writer.append(TrainRow{50 * i, 512 * 50 * i, 0.5 * i, 4.0 / i + 1.5, 1e-3, 1});
  for (int i = 0; i <= 20; ++i)
    for (const char* split : {"val", "train"})
      writer.append(EvalRow{250 * i, split, 4.0 / (i + 1) + 1.6, 0.01, 111540});
  for (int i = 1; i <= 100; ++i)
    for (int layer = 0; layer < 24; ++layer)
      writer.append(QuantRow{50 * i, "blocks." + std::to_string(layer), 0.3, 0.4, 0.3, 0, 0.1});
  writer.flush();
}

std::string config(int arm, int seed) {
  std::string text = "# arm a" + std::to_string(arm) +
                     "\nseeds = [1, 2, 3]  # x.toml:1\n[optim]\n" +
                     "lr = " + std::to_string(0.001 * (arm + 1)) + "  # sweep\n[model]\n";
  for (int i = 0; i < 60; ++i)
    text += "setting_" + std::to_string(i) + " = " + std::to_string(i) +
            "                # configs/experiments/some.toml:" + std::to_string(i) + "\n";
  return text + "seed = " + std::to_string(seed) + "  # x\n";
}

void fill(FakeResults& fake) {
  json arms = json::array();
  write_metrics(fake.path() / "metrics.h5");
  for (int arm = 0; arm < kArms; ++arm) {
    const std::string hash = "0000" + std::to_string(1000 + arm), name = "a" + std::to_string(arm);
    json seeds = json::array();
    for (int seed = 1; seed <= kSeeds; ++seed) {
      seeds.push_back(seed);
      const fs::path run = fake.path() / (name + "-" + hash) / ("seed-" + std::to_string(seed));
      fs::create_directories(run);
      fs::copy_file(fake.path() / "metrics.h5", run / "metrics.h5");
      write_quickly(run / "config.toml", config(arm, seed));
      write_quickly(run / "provenance.json", R"({"build": {"git": "abc"}})");
      write_quickly(run / "DONE", "");
      const json status = {{"state", "done"},
                           {"step", 5000},
                           {"steps", 5000},
                           {"val_loss", 1.6 + 4.0 / 21},
                           {"val_loss_best", 1.6 + 4.0 / 21},
                           {"train_loss", 1.6 + 4.0 / 21},
                           {"wall_seconds", 50.0},
                           {"tokens_per_s", 1e5 + seed}};
      write_quickly(run / "status.json", status.dump());
    }
    arms.push_back({{"name", name},
                    {"hash", hash},
                    {"dir", name + "-" + hash},
                    {"seeds", seeds},
                    {"params", 1000},
                    {"ternary_params", 10}});
  }
  fs::remove(fake.path() / "metrics.h5");
  fake.change_plan(json{{"arms", arms}, {"steps", 5000}, {"baseline", "a0"}}.dump());
}

TEST_CASE("a thousand runs are compared in a second and reported in three", "[report]") {
  FakeResults fake;
  fill(fake);

  const double start = used_seconds();
  std::vector<RunRecord> runs = filtered(read_index(fake.path()), "val_loss<2 and lr>0.0005");
  sort_runs(runs, "-tokens_per_s,arm");
  const std::string table = format_values(compare_table(runs, false), TableFormat::Markdown);
  const double compared = used_seconds();
  CHECK(runs.size() == kArms * kSeeds);
  CHECK(runs.front().run.seed == kSeeds);
  CHECK(std::count(table.begin(), table.end(), '\n') == kArms * kSeeds + 2);
  CHECK(compared - start < 1);

  const Report report = write_report(fake.path());
  const double reported = used_seconds() - compared;
  CHECK(report.figure_error == "");
  CHECK(report.text.find("| a49 ") != std::string::npos);
  CHECK(reported < 3);
  WARN("compare " << compared - start << " s, report " << reported << " s of processor");
}

}  // namespace
}  // namespace bitlab
