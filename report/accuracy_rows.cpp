#include "report/accuracy_rows.h"

#include "core/base/error.h"

namespace bitlab {

namespace {

AccuracyRow row_of(const Results& results,
                   const std::vector<JudgedRun>& all,
                   const ArmResult& arm) {
  AccuracyRow row;
  row.arm = &arm;
  std::vector<std::pair<Predictions, Predictions>> pairs;
  double sum = 0, runs = 0;
  for (const JudgedRun& run : all) {
    if (run.arm != &arm) continue;
    sum += *run.run->accuracy;
    ++runs;
    const JudgedRun* other = baseline_of(all, run, results.baseline);
    if (other == nullptr) continue;
    row.baseline = other->arm;
    row.common += *run.run->accuracy;
    row.baseline_common += *other->run->accuracy;
    row.differences.push_back(*run.run->accuracy - *other->run->accuracy);
    pairs.emplace_back(&other->predictions, &run.predictions);
  }
  if (runs > 0) row.accuracy = sum / runs;
  if (pairs.empty()) return row;
  row.common /= static_cast<double>(pairs.size());
  row.baseline_common /= static_cast<double>(pairs.size());
  try {
    row.sum = accuracy_difference(pairs);
  } catch (const Error&) {
    // Of other texts: there is nothing to compare.
  }
  return row;
}

}  // namespace

std::vector<AccuracyRow> accuracy_rows(const Results& results, const std::vector<JudgedRun>& all) {
  std::vector<AccuracyRow> rows;
  for (const ArmResult& arm : results.arms) rows.push_back(row_of(results, all, arm));
  return rows;
}

}  // namespace bitlab
