#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/classification_scores.h"
#include "report/accuracy_rows.h"
#include "report/classification.h"

namespace bitlab {

namespace {

using nlohmann::ordered_json;

ordered_json json_of(double value, const Interval& interval) {
  return {{"value", value}, {"interval", {interval.low, interval.high}}};
}

ordered_json json_of(const JudgedRun& run) {
  const std::size_t labels = run.label_count();
  const ClassificationScores scores = score(run.predictions, labels);
  const ScoreIntervals intervals = score_intervals(run.predictions, labels);
  ordered_json names = ordered_json::array();
  for (std::size_t label = 0; label < labels; ++label) names.push_back(run.label_name(label));
  ordered_json sizes = ordered_json::array();
  for (const LoadedForm& form : run.run->loaded)
    sizes.push_back({{"weights", form.weights},
                     {"file_bytes", form.file_bytes},
                     {"resident_bytes", form.resident_bytes}});
  return {{"arm", run.arm->name},
          {"seed", run.run->seed},
          {"sizes", sizes},
          {"texts", run.predictions.size()},
          {"accuracy", json_of(scores.accuracy, intervals.accuracy)},
          {"f1", json_of(scores.f1, intervals.f1)},
          {"calibration_error", json_of(scores.calibration_error, intervals.calibration_error)},
          {"loss", json_of(mean_loss(run.predictions), intervals.loss)},
          {"labels", names},
          {"confusion", scores.confusion}};
}

// Arms that judged other texts have no test between them.
ordered_json tests_between(const std::vector<JudgedRun>& all) {
  ordered_json tests = ordered_json::array();
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t k = i + 1; k < all.size(); ++k) {
      const JudgedRun &a = all[i], &b = all[k];
      if (a.run->seed != b.run->seed) continue;
      try {
        const McNemar test = mcnemar(a.predictions, b.predictions);
        tests.push_back({{"arms", {a.arm->name, b.arm->name}},
                         {"seed", a.run->seed},
                         {"right_alone", {test.only_first, test.only_second}},
                         {"p", test.p}});
      } catch (const Error&) {
        continue;
      }
    }
  return tests;
}

}  // namespace

std::string classification_json(const Results& results) {
  const std::vector<JudgedRun> all = judged_runs(results);
  if (all.empty()) return "";
  ordered_json runs = ordered_json::array(), differences = ordered_json::array();
  for (const JudgedRun& run : all) runs.push_back(json_of(run));
  for (const AccuracyRow& row : accuracy_rows(results, all))
    if (row.sum)
      differences.push_back({{"arm", row.arm->name},
                             {"baseline", row.baseline->name},
                             {"accuracy", json_of(row.sum->mean, row.sum->interval)},
                             {"seeds", row.sum->pairs},
                             {"texts", row.sum->texts}});
  return ordered_json{{"runs", runs}, {"mcnemar", tests_between(all)}, {"differences", differences}}
             .dump(2) +
         "\n";
}

}  // namespace bitlab
