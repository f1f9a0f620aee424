#include "report/classification_statistics.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/io/classification_scores.h"

namespace bitlab {

namespace {

bool right(const PredictionRow& row) { return row.predicted == row.label; }

// Of each text, in the order of `second`: whether first and second were right.
std::vector<std::pair<bool, bool>> by_text(const std::vector<PredictionRow>& first,
                                           const std::vector<PredictionRow>& second) {
  std::map<std::int64_t, const PredictionRow*> rows;
  for (const PredictionRow& row : first) rows[row.text] = &row;
  std::vector<std::pair<bool, bool>> both;
  for (const PredictionRow& row : second) {
    const auto other = rows.find(row.text);
    if (other == rows.end() || other->second->label != row.label) break;
    both.emplace_back(right(*other->second), right(row));
  }
  if (both.size() != first.size() || both.size() != second.size() || rows.size() != both.size())
    throw Error("predictions", "both classifiers must have judged the same texts, but have not");
  return both;
}

}  // namespace

double mean_loss(const std::vector<PredictionRow>& predictions) {
  double sum = 0;
  for (const PredictionRow& row : predictions) sum += row.loss;
  return predictions.empty() ? 0 : sum / static_cast<double>(predictions.size());
}

ScoreIntervals score_intervals(const std::vector<PredictionRow>& predictions,
                               std::size_t labels,
                               std::size_t resamples) {
  if (predictions.empty() || resamples == 0) return {};
  const Rng rng(1, "bootstrap");
  std::vector<double> accuracy, f1, calibration_error, loss;
  std::vector<PredictionRow> sample(predictions.size());
  for (std::size_t r = 0; r < resamples; ++r) {
    for (std::size_t i = 0; i < sample.size(); ++i)
      sample[i] = predictions[rng.below(predictions.size(), r, i)];
    const ClassificationScores s = score(sample, labels);
    accuracy.push_back(s.accuracy);
    f1.push_back(s.f1);
    calibration_error.push_back(s.calibration_error);
    loss.push_back(mean_loss(sample));
  }
  return {percentile_interval(std::move(accuracy)), percentile_interval(std::move(f1)),
          percentile_interval(std::move(calibration_error)), percentile_interval(std::move(loss))};
}

McNemar mcnemar(const std::vector<PredictionRow>& first, const std::vector<PredictionRow>& second) {
  McNemar result;
  for (const auto& [a, b] : by_text(first, second)) {
    result.only_first += a && !b;
    result.only_second += b && !a;
  }
  // Of n texts that one alone got right, each is the first's with probability 1/2.
  const auto n = static_cast<double>(result.only_first + result.only_second);
  const std::int64_t fewer = std::min(result.only_first, result.only_second);
  double tail = 0;
  for (std::int64_t k = 0; k <= fewer; ++k) {
    const auto x = static_cast<double>(k);
    tail += std::exp(std::lgamma(n + 1) - std::lgamma(x + 1) - std::lgamma(n - x + 1) -
                     n * std::log(2.0));
  }
  result.p = std::min(1.0, 2 * tail);
  return result;
}

AccuracyDifference accuracy_difference(const std::vector<std::pair<Predictions, Predictions>>& runs,
                                       std::size_t resamples) {
  std::vector<std::vector<int>> gains;  // of each pair, of each text: -1, 0, 1
  const std::vector<PredictionRow>& texts = *runs.at(0).first;
  const std::size_t n = texts.size();
  if (n == 0) throw Error("predictions", "must be of at least one text, but are of none");
  for (const auto& [baseline, other] : runs) {
    std::vector<int> gain;
    const auto before = by_text(*baseline, texts), after = by_text(*other, texts);
    for (std::size_t i = 0; i < n; ++i)
      gain.push_back(static_cast<int>(after[i].first) - static_cast<int>(before[i].first));
    gains.push_back(std::move(gain));
  }
  const auto mean_of = [&](const std::vector<double>& of_text) {
    double sum = 0;
    for (const double x : of_text) sum += x;
    return sum / static_cast<double>(n);
  };
  const Rng rng(1, "bootstrap/difference");
  const std::size_t pairs = gains.size();
  std::vector<double> of_text(n), sample(n), draws;
  for (std::size_t r = 0; r <= resamples; ++r) {  // the last round takes all as they are
    std::fill(of_text.begin(), of_text.end(), 0.0);
    for (std::size_t p = 0; p < pairs; ++p) {
      const std::vector<int>& gain = gains[r < resamples ? rng.below(pairs, r, n + p) : p];
      for (std::size_t i = 0; i < n; ++i) of_text[i] += gain[i] / static_cast<double>(pairs);
    }
    if (r == resamples) break;
    for (std::size_t i = 0; i < n; ++i) sample[i] = of_text[rng.below(n, r, i)];
    draws.push_back(mean_of(sample));
  }
  return {mean_of(of_text), percentile_interval(std::move(draws)), pairs, n};
}

}  // namespace bitlab
