#include "report/classification.h"

#include "core/base/catch.h"
#include "report/fake_results.h"

namespace bitlab {
namespace {

// 40 texts, of which the first `wrong` get the other label.
void predict(const FakeResults& results, const std::string& arm, int wrong) {
  MetricsWriter writer =
      MetricsWriter::create(results.run(arm, 1) / "metrics.h5", {{"labels", "negative,positive"}});
  writer.append(EvalRow{1000, "val", 0.4, 0.01, 40});
  for (std::int64_t i = 0; i < 40; ++i) {
    const std::int64_t label = i % 2, said = i < wrong ? 1 - label : label;
    writer.append(PredictionRow{1000, i, label, said, 0.9, 0.1});
  }
}

TEST_CASE("the page of a classification has scores, confusion and McNemar's test",
          "[report][classification]") {
  FakeResults results;
  results.add_arm("full", {1});
  results.add_arm("bit", {1});
  CHECK(classification_page(load_results(results.path())).empty());
  results.finish("full", 1, 0.4, 0.4);
  results.finish("bit", 1, 0.5, 0.5);
  CHECK(classification_page(load_results(results.path())).empty());
  results.set_status("full", 1, R"({"accuracy": 0.95, "f1": 0.95})");
  results.set_status("bit", 1, R"({"accuracy": 0.75, "f1": 0.75})");
  predict(results, "full", 2);
  predict(results, "bit", 10);
  const std::string page = classification_page(load_results(results.path()));
  INFO(page);
  const auto says = [&](const std::string& text) { CHECK(page.find(text) != std::string::npos); };
  says("0.9500");
  says("0.7500");
  says("negative 19 of 20, positive 19 of 20");
  says("negative 15 of 20, positive 15 of 20");
  says("0 : 8, p = 0.0078");  // 2 / 2^8
  says("95 % interval");
}

}  // namespace
}  // namespace bitlab
