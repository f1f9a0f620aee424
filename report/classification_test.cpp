#include "report/classification.h"

#include <nlohmann/json.hpp>

#include "core/base/catch.h"
#include "core/base/files.h"
#include "report/claims.h"
#include "report/curves.h"
#include "report/fake_results.h"
#include "report/figures.h"
#include "report/html.h"
#include "report/plot_accuracy.h"
#include "report/verdict.h"

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
  results.add_arm("full", {1}, 209153, 0);
  results.add_arm("bit", {1}, 207617, 196608);
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
  says("0.9500 (0.");
  says("0.7500 (0.");
  says("negative 19 of 20, positive 19 of 20");
  says("negative 15 of 20, positive 15 of 20");
  says("0 : 8, p = 0.0078");  // 2 / 2^8
  says("| bit  |    207,617 |  94.7 % |");
  says("838 kB");
  says("140 kB, 5.99x");
  CHECK(page.find("## Memory") == std::string::npos);
  const auto json = nlohmann::json::parse(classification_json(load_results(results.path())));
  REQUIRE(json["runs"].size() == 2);
  CHECK(json["runs"][1]["arm"] == "bit");
  CHECK(json["runs"][1]["confusion"] == std::vector<std::vector<int>>{{15, 5}, {5, 15}});
  CHECK(json["runs"][1]["accuracy"]["value"] == 0.75);
  CHECK(json["runs"][1]["accuracy"]["interval"][0] < 0.75);
  CHECK(json["runs"][1]["loss"]["value"].get<double>() == Approx(0.1));
  REQUIRE(json["mcnemar"].size() == 1);
  CHECK(json["mcnemar"][0]["right_alone"] == std::vector<int>{8, 0});
  CHECK(json["differences"][0]["accuracy"]["value"].get<double>() == Approx(-0.2));
  const std::string html = html_page(load_results(results.path()), {});
  for (const char* part : {"id=\"scores\"", "id=\"sizes\"", "<th", "0 : 8, p = 0.0078"})
    CHECK(html.find(part) != std::string::npos);
}

TEST_CASE("what 'bitlab bench load' measured stands beside the sizes of files",
          "[report][classification]") {
  FakeResults results;
  results.add_arm("full", {1}, 209153, 0);
  results.add_arm("bit", {1}, 207617, 196608);
  for (const char* arm : {"full", "bit"}) {
    results.finish(arm, 1, 0.4, 0.4);
    results.set_status(arm, 1, R"({"accuracy": 0.95, "f1": 0.95})");
    predict(results, arm, 2);
  }
  write_file_atomic(results.run("bit", 1) / "load.json",
                    R"({"format": 1, "loaded": [
    {"weights": "f32", "file_bytes": 838000, "resident_bytes": 2000000, "seconds": 0.1},
    {"weights": "packed-f16", "file_bytes": 120000, "resident_bytes": 500000, "seconds": 0.1}]})");
  const std::string page = classification_page(load_results(results.path()));
  INFO(page);
  const auto says = [&](const std::string& text) { CHECK(page.find(text) != std::string::npos); };
  // Counted: 838000 - 2 * 209153; measured: the last one of bit.
  says("838 kB | 420 kB, 2.00x |                 – |                 – |");
  says("838 kB | 423 kB, 1.98x |     140 kB, 5.99x |     120 kB, 6.98x |");
  says("2.0 MB |    – |                 – |     500 kB, 4.00x |");
  const auto json = nlohmann::json::parse(classification_json(load_results(results.path())));
  CHECK(json["runs"][0]["sizes"].empty());
  CHECK(json["runs"][1]["sizes"][1]["resident_bytes"] == 500000);
  // What cannot be read was not measured, and no reason to lose the run.
  for (const char* told :
       {R"({"format": 2, "other": 1})", R"({"format": 1})", "half of a li",
        R"({"format": "1", "loaded": []})", R"({"format": 1, "loaded": [{"weights": 7}]})"}) {
    write_file_atomic(results.run("bit", 1) / "load.json", told);
    const std::string without = classification_page(load_results(results.path()));
    CHECK(without.find("## Memory") == std::string::npos);
    CHECK(without.find("| bit ") != std::string::npos);
  }
}

TEST_CASE("the verdict of a classification tells accuracies and their difference",
          "[report][classification]") {
  FakeResults results;
  for (const char* arm : {"full", "bit", "same", "equal", "late"})
    results.add_arm(arm, {1}, 209153, arm[0] == 'b' ? 196608 : 0);
  for (const auto& [arm, wrong] : {std::pair{"full", 2}, {"bit", 12}, {"same", 3}, {"equal", 2}}) {
    results.finish(arm, 1, 0.4, 0.4);
    results.set_status(arm, 1, "{\"accuracy\": " + std::to_string(1 - wrong / 40.0) + "}");
    predict(results, arm, wrong);
  }
  const std::string text = verdict(load_results(results.path()));
  INFO(text);
  const auto says = [&](const std::string& t) { CHECK(text.find(t) != std::string::npos); };
  says("full classifies 95.00 % of the texts right.\n");
  says(
      "bit classifies 70.00 % of the texts right, 25.00 points fewer than the 95.00 % of full (95 "
      "% interval -");
  says("over 40 texts and 1 seed): in this setting ternary weights cost 25.00 points.");
  says("same classifies 92.50 % of the texts right, 2.50 points fewer than the 95.00 % of full");
  says("which chance could make.");
  says(
      "equal classifies 95.00 % of the texts right, as many as the 95.00 % of full (95 % interval "
      "+0.00 to +0.00");
  says("No run of late is done yet.");
  says("says nothing of what other seeds would give");
  CHECK(text.find("perplexity") == std::string::npos);
}

TEST_CASE("the figure of accuracies has an arm a row, and what is far off at its edge",
          "[report][classification][plot]") {
  FakeResults results;
  for (const char* arm : {"full", "bit", "same", "lost", "late"}) results.add_arm(arm, {1});
  CHECK_FALSE(accuracy_figure(load_results(results.path())));
  for (const auto& [arm, wrong] : {std::pair{"full", 2}, {"bit", 4}, {"same", 3}, {"lost", 39}}) {
    results.finish(arm, 1, 0.4, 0.4);
    results.set_status(arm, 1, "{\"accuracy\": " + std::to_string(1 - wrong / 40.0) + "}");
    predict(results, arm, wrong);
  }
  const Results loaded = load_results(results.path());
  const std::string script = accuracy_figure(loaded)->script;
  INFO(script);
  const auto count = [&](const std::string& text) {
    std::size_t n = 0;
    for (auto at = script.find(text); at != std::string::npos; at = script.find(text, at + 1)) ++n;
    return n;
  };
  CHECK(count("40 texts; accuracy, and minus that of full (95.0 %) with the same seed; one seed") ==
        1);
  for (const char* row : {"bit  90.0 %", "same  92.5 %", "lost  2.5 %"}) CHECK(count(row) == 1);
  CHECK(count("full  95.0 %") == 0);
  CHECK(count("late") == 0);
  // 2 of 40 texts lost: 5.00 +- 2.023 sqrt(0.05 * 0.95 / 39) points.
  CHECK(count("-5.0 [-12.1, +2.1]") == 1);
  CHECK(count("-92.5 [") == 1);           // told, but not within the frame
  CHECK(count("pt 13 ps 0.8") == 1 + 2);  // in the key, and of two rows
  bool standard = false;
  for (const NamedFigure& figure : standard_figures(loaded)) standard |= figure.kind == "accuracy";
  CHECK(standard);
}

TEST_CASE("accuracy is drawn over the course of training", "[report][classification][plot]") {
  FakeResults results;
  results.add_arm("full", {1});
  results.finish("full", 1, 0.4, 0.4);
  MetricsWriter writer = MetricsWriter::create(results.run("full", 1) / "metrics.h5", {});
  for (const std::int64_t step : {0, 500, 1000}) {
    writer.append(EvalRow{step, "val", 0.7, 0.01, 40});
    writer.append(ScoreRow{step, "val", 0.5 + 0.0004 * static_cast<double>(step), 0.25, 0.1});
    writer.append(ScoreRow{step, "train", 0.99, 0.99, 0.1});
  }
  writer.flush();
  const Results loaded = load_results(results.path());
  const auto curve = [&](CurveY y) { return curve_lines(loaded, {.y = y}).at(0).main; };
  REQUIRE(curve(CurveY::Accuracy).size() == 3);
  CHECK(curve(CurveY::Accuracy)[1].mean == Approx(0.7));
  CHECK(curve(CurveY::F1)[2].mean == Approx(0.25));
  const std::string script = plot(loaded, {.kind = "curves", .y = "accuracy"})->script;
  CHECK(script.find("'accuracy on the validation texts'") != std::string::npos);
  CHECK(script.find("uniform") == std::string::npos);  // of losses
  // From 0.5 to 0.9 with a little room, not from 0.
  CHECK(script.find("set yrange [0.48") != std::string::npos);
}

TEST_CASE("claims can be of accuracy", "[report][classification][claims]") {
  FakeResults results;
  results.change_plan(R"({"claims": ["As good | accuracy: bit = full +- 0.015"]})");
  results.add_arm("full", {1, 2, 3});
  results.add_arm("bit", {1, 2, 3});
  for (std::int64_t seed = 1; seed <= 3; ++seed)
    for (const char* arm : {"full", "bit"}) {
      results.finish(arm, seed, 0.4, 0.4);
      results.set_status(arm, seed,
                         "{\"accuracy\": 0.8" + std::to_string(80 + seed - (arm[0] == 'b')) + "}");
    }
  CHECK(judge_claims(load_results(results.path())).at(0).judgement == Judgement::Supported);
  for (std::int64_t seed = 1; seed <= 3; ++seed)
    results.set_status("bit", seed, "{\"accuracy\": 0.7" + std::to_string(80 + seed) + "}");
  CHECK(judge_claims(load_results(results.path())).at(0).judgement == Judgement::Contradicted);
}

}  // namespace
}  // namespace bitlab
