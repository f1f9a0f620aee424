#include "report/classification.h"

#include <fmt/format.h>

#include <cmath>

#include "core/base/error.h"
#include "core/io/classification_scores.h"
#include "report/accuracy_rows.h"
#include "report/arm_comparison.h"
#include "report/classification_statistics.h"
#include "report/format.h"
#include "report/judged_runs.h"
#include "report/sizes.h"
#include "report/text_table.h"

namespace bitlab {

namespace {

std::string score_text(double value, const Interval& interval) {
  return fmt::format("{} ({} to {})", format_fixed(value, 4), format_fixed(interval.low, 4),
                     format_fixed(interval.high, 4));
}

// "negative 431 of 500, positive 440 of 500".
std::string confusion_text(const JudgedRun& run, const ClassificationScores& scores) {
  std::string text;
  for (std::size_t label = 0; label < scores.confusion.size(); ++label) {
    std::int64_t texts = 0;
    for (const std::int64_t n : scores.confusion[label]) texts += n;
    text += fmt::format("{}{} {} of {}", text.empty() ? "" : ", ", run.label_name(label),
                        scores.confusion[label][label], texts);
  }
  return text;
}

// How many texts one alone got right, and the p value.
std::string mcnemar_text(const JudgedRun& run, const JudgedRun* baseline) {
  if (baseline == nullptr) return "–";
  try {
    const McNemar test = mcnemar(run.predictions, baseline->predictions);
    return fmt::format("{} : {}, p = {:.2g}", test.only_first, test.only_second, test.p);
  } catch (const Error&) {
    return "other texts";
  }
}

TextTable score_table(const Results& results, const std::vector<JudgedRun>& all) {
  TextTable table;
  table.heads = {{"arm", true},
                 {"seed"},
                 {"accuracy"},
                 {"F1"},
                 {"calibration error"},
                 {"right", true},
                 {"it : " + results.baseline + " alone right", true}};
  for (const JudgedRun& run : all) {
    const std::size_t labels = run.label_count();
    const ClassificationScores scores = score(run.predictions, labels);
    const ScoreIntervals intervals = score_intervals(run.predictions, labels);
    table.rows.push_back(
        {run.arm->name, std::to_string(run.run->seed),
         score_text(scores.accuracy, intervals.accuracy), score_text(scores.f1, intervals.f1),
         score_text(scores.calibration_error, intervals.calibration_error),
         confusion_text(run, scores), mcnemar_text(run, baseline_of(all, run, results.baseline))});
  }
  return table;
}

// Differences of accuracy are told in points, hundredths.
std::string points(double difference) {
  return fmt::format("{:.2f} points", 100 * std::abs(difference));
}

std::string conclusion(const ArmResult& baseline, const ArmResult& arm, double difference) {
  const bool worse = difference < 0;
  if (baseline.ternary_params == 0 && arm.ternary_params > 0)
    return fmt::format("in this setting ternary weights {} {}.", worse ? "cost" : "gain",
                       points(difference));
  return fmt::format("in this setting {} is {} than {}.", arm.name, worse ? "worse" : "better",
                     baseline.name);
}

std::string sentence(const Results& results, const AccuracyRow& row) {
  const ArmResult& arm = *row.arm;
  if (!row.accuracy) return fmt::format("No run of {} is done yet.", arm.name);
  const std::string begins = fmt::format("{} classifies {:.2f} % of the texts right", arm.name,
                                         100 * (row.sum ? row.common : *row.accuracy));
  if (row.baseline == nullptr)
    return begins + (arm.name == results.baseline
                         ? "."
                         : "; no seed is done in both it and " + results.baseline + ".");
  if (!row.sum) return begins + "; " + results.baseline + " judged other texts.";
  const AccuracyDifference& d = *row.sum;
  const bool equal = std::abs(d.mean) < 5e-5;  // 0.00 points
  const std::string against =
      equal ? "as many as " : points(d.mean) + (d.mean < 0 ? " fewer than " : " more than ");
  const std::string measured = fmt::format(
      "{}, {}the {:.2f} % of {} (95 % interval {:+.2f} to {:+.2f}, over {} texts and {})", begins,
      against, 100 * row.baseline_common, row.baseline->name, 100 * d.interval.low,
      100 * d.interval.high, format_count(static_cast<std::int64_t>(d.texts)),
      counted(d.pairs, "seed"));
  if (d.interval.low <= 0 && d.interval.high >= 0) return measured + ", which chance could make.";
  return measured + ": " + conclusion(*row.baseline, arm, d.mean);
}

}  // namespace

std::vector<ClassificationTable> classification_tables(const Results& results) {
  const std::vector<JudgedRun> all = judged_runs(results);
  if (all.empty()) return {};
  std::vector<ClassificationTable> tables = {
      {"scores", "Scores",
       "Of the last step, with percentile bootstrap intervals of 95 % over the texts: accuracy, F1 "
       "weighted by labels, expected calibration error in 15 bins; McNemar's exact test against "
       "the baseline's run of the same seed.",
       score_table(results, all)}};
  for (ClassificationTable& sizes : size_tables(all)) tables.push_back(std::move(sizes));
  return tables;
}

std::string classification_page(const Results& results) {
  std::string page;
  for (const ClassificationTable& part : classification_tables(results))
    page += (page.empty() ? "" : "\n") + ("## " + part.title) + "\n\n" + markdown_text(part.table) +
            "\n" + part.note + "\n";
  return page;
}

std::string classification_verdict(const Results& results) {
  const std::vector<JudgedRun> all = judged_runs(results);
  if (all.empty()) return "";
  std::string text;
  bool single = false;
  for (const AccuracyRow& row : accuracy_rows(results, all)) {
    text += sentence(results, row) + "\n";
    single |= row.sum && row.sum->pairs == 1;
  }
  if (single) text += "An interval over one seed says nothing of what other seeds would give.\n";
  return text + many_intervals(results);
}

}  // namespace bitlab
