#include "report/classification.h"

#include <fmt/format.h>

#include <map>

#include "core/base/error.h"
#include "core/io/classification_scores.h"
#include "report/format.h"
#include "report/text_table.h"

namespace bitlab {

namespace {

struct Judged {
  const ArmResult* arm;
  std::int64_t seed;
  std::vector<PredictionRow> predictions;
  std::vector<std::string> labels;
};

// "negative,positive" of the file's attributes.
std::vector<std::string> names_of(const std::map<std::string, std::string>& attributes) {
  std::vector<std::string> names;
  const auto found = attributes.find("labels");
  if (found == attributes.end()) return names;
  for (std::size_t begin = 0; begin <= found->second.size();) {
    const std::size_t end = std::min(found->second.find(',', begin), found->second.size());
    names.push_back(found->second.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

std::vector<Judged> judged_runs(const Results& results) {
  std::vector<Judged> all;
  for (const ArmResult& arm : results.arms)
    for (const SeedResult& run : arm.runs) {
      if (!run.done() || !run.accuracy || run.dir.empty()) continue;
      try {
        RunMetrics metrics = read_metrics(run.dir / "metrics.h5");
        if (metrics.predictions.empty()) continue;
        all.push_back(
            {&arm, run.seed, std::move(metrics.predictions), names_of(metrics.attributes)});
      } catch (const Error&) {
        // Damage is told where states are.
      }
    }
  return all;
}

std::size_t label_count(const Judged& run) {
  std::size_t count = run.labels.size();
  for (const PredictionRow& row : run.predictions)
    count = std::max({count, static_cast<std::size_t>(row.label) + 1,
                      static_cast<std::size_t>(row.predicted) + 1});
  return count;
}

std::string label_name(const Judged& run, std::size_t label) {
  return label < run.labels.size() ? run.labels[label] : "label " + std::to_string(label);
}

// "negative 431 of 500, positive 440 of 500".
std::string confusion_text(const Judged& run, const ClassificationScores& scores) {
  std::string text;
  for (std::size_t label = 0; label < scores.confusion.size(); ++label) {
    std::int64_t texts = 0;
    for (const std::int64_t n : scores.confusion[label]) texts += n;
    text += fmt::format("{}{} {} of {}", text.empty() ? "" : ", ", label_name(run, label),
                        scores.confusion[label][label], texts);
  }
  return text;
}

const Judged* baseline_of(const std::vector<Judged>& all,
                          const Judged& run,
                          const std::string& baseline) {
  if (run.arm->base == baseline) return nullptr;
  for (const Judged& other : all)
    if (other.arm->base == baseline && other.seed == run.seed) return &other;
  return nullptr;
}

// How many texts one alone got right, and the p value.
std::string mcnemar_text(const Judged& run, const Judged* baseline) {
  if (baseline == nullptr) return "–";
  try {
    const McNemar test = mcnemar(run.predictions, baseline->predictions);
    return fmt::format("{} : {}, p = {:.2g}", test.only_first, test.only_second, test.p);
  } catch (const Error&) {
    return "other texts";
  }
}

}  // namespace

std::string classification_page(const Results& results) {
  const std::vector<Judged> all = judged_runs(results);
  if (all.empty()) return "";
  TextTable table;
  table.heads = {{"arm", true},   {"seed"},
                 {"accuracy"},    {"95 % interval"},
                 {"F1"},          {"calibration error"},
                 {"right", true}, {"it : " + results.baseline + " alone right", true}};
  for (const Judged& run : all) {
    const std::size_t labels = label_count(run);
    const ClassificationScores scores = score(run.predictions, labels);
    const Interval interval = bootstrap_interval(
        run.predictions, labels, [](const ClassificationScores& s) { return s.accuracy; });
    table.rows.push_back({run.arm->name, std::to_string(run.seed), format_fixed(scores.accuracy, 4),
                          format_fixed(interval.low, 4) + " to " + format_fixed(interval.high, 4),
                          format_fixed(scores.f1, 4), format_fixed(scores.calibration_error, 4),
                          confusion_text(run, scores),
                          mcnemar_text(run, baseline_of(all, run, results.baseline))});
  }
  return markdown_text(table) +
         "\nAccuracy with its percentile bootstrap interval, weighted F1 and expected calibration "
         "error (15 bins) of the last step; McNemar's exact test against the baseline's run of the "
         "same seed.\n";
}

}  // namespace bitlab
