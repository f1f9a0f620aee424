#include "report/export.h"

#include <cmath>
#include <cstdlib>

#include "core/base/catch.h"
#include "core/base/files.h"
#include "report/fake_results.h"

namespace bitlab {
namespace {

// What python's csv module makes of a file: one line a record, its fields between bars.
std::string read_by_python(const std::filesystem::path& folder, const std::string& name) {
  const std::filesystem::path out = folder / (name + ".read");
  const std::string command =
      "python3 -c 'import csv,sys\n"
      "for row in csv.reader(open(sys.argv[1], newline=\"\")): print(\"|\".join(row))' '" +
      (folder / name).string() + "' > '" + out.string() + "'";
  REQUIRE(std::system(command.c_str()) == 0);
  return read_file(out);
}

void fill(FakeResults& fake) {
  fake.add_arm("full", {1, 2});
  fake.change_plan(R"({"arms": [{"name": "full, lr=0.1", "arm": "full, \"x\"",
                                 "axes": {"optim.lr": 0.1}, "hash": "00000000",
                                 "dir": "full-00000000", "seeds": [1, 2]}]})");
  MetricsWriter writer = [&] {
    fake.write_metrics("full", 1, {{10, "val", 1.0 / 3, 0.5, 7}},
                       {{5, 2560, 0.25, NAN, 1e-3, 2}, {10, 5120, 0.5, 2.5, 9e-4, 2}});
    return MetricsWriter::resume(fake.run("full", 1) / "metrics.h5", 10);
  }();
  writer.append(QuantRow{10, "blocks.0.wq", 0.25, 0.5, 0.25, 0.125, 0.0625});
  writer.append(ScoreRow{10, "val", 0.75, 0.5, 0.125});
  writer.append(PredictionRow{10, 42, 1, 0, 0.625, 1.5});
  writer.flush();
  fake.set_status("full", 1, R"({"state": "failed", "reason": "diverged, at \"10\""})");
}

TEST_CASE("python's csv reads back what was measured", "[report]") {
  FakeResults fake;
  fill(fake);
  const auto folder = fake.path() / "csv";
  const ExportedRows rows = export_csv(read_index(fake.path()), folder);
  CHECK(rows.runs == 2);
  CHECK(rows.train == 2);
  CHECK(rows.eval == 1);
  CHECK(rows.quant == 1);
  const std::string run = "00000000-1|full, \"x\"|1|0.1|";
  CHECK(read_by_python(folder, "train.csv") ==
        "run|arm|seed|optim.lr|step|tokens|seconds|loss|lr|grad_norm\n" + run +
            "5|2560|0.25|nan|0.001|2\n" + run + "10|5120|0.5|2.5|0.0009|2\n");
  CHECK(read_by_python(folder, "eval.csv") ==
        "run|arm|seed|optim.lr|step|split|loss|stderr|tokens\n" + run +
            "10|val|0.3333333333333333|0.5|7\n");
  CHECK(read_by_python(folder, "quant.csv") ==
        "run|arm|seed|optim.lr|step|layer|minus|zero|plus|flips|scale\n" + run +
            "10|blocks.0.wq|0.25|0.5|0.25|0.125|0.0625\n");
  CHECK(read_by_python(folder, "scores.csv") ==
        "run|arm|seed|optim.lr|step|split|accuracy|f1|calibration_error\n" + run +
            "10|val|0.75|0.5|0.125\n");
  CHECK(read_by_python(folder, "predictions.csv") ==
        "run|arm|seed|optim.lr|step|text|label|predicted|probability|loss\n" + run +
            "10|42|1|0|0.625|1.5\n");
  const std::string runs = read_by_python(folder, "runs.csv");
  CHECK(runs.starts_with("run|arm|seed|optim.lr|state|reason|step|steps|"));
  CHECK(runs.find("\n" + run + "failed|diverged, at \"10\"|1000|1000|") != std::string::npos);
  CHECK(runs.find("\n00000000-2|full, \"x\"|2|0.1|queued||0|") != std::string::npos);
}

}  // namespace
}  // namespace bitlab
