#include "report/classification_statistics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

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

namespace {

// Of each pair, of each text in the order of the first pair's: -1, 0, 1.
std::vector<std::vector<int>> gains_of(
    const std::vector<std::pair<Predictions, Predictions>>& runs) {
  const std::vector<PredictionRow>& texts = *runs.at(0).first;
  std::vector<std::vector<int>> gains;
  for (const auto& [baseline, other] : runs) {
    const auto before = by_text(*baseline, texts), after = by_text(*other, texts);
    std::vector<int>& gain = gains.emplace_back();
    for (std::size_t i = 0; i < texts.size(); ++i)
      gain.push_back(static_cast<int>(after[i].first) - static_cast<int>(before[i].first));
  }
  return gains;
}

double squared(double x) { return x * x; }

// What other texts and other pairs would change of the mean; see AccuracyDifference.
Interval interval_about(double mean, const std::vector<std::vector<int>>& gains) {
  const std::size_t pairs = gains.size(), texts = gains.front().size();
  const auto p_count = static_cast<double>(pairs), n_count = static_cast<double>(texts);
  std::vector<int> of_text(texts), of_pair(pairs);
  for (std::size_t p = 0; p < pairs; ++p)
    for (std::size_t i = 0; i < texts; ++i) {
      of_text[i] += gains[p][i];
      of_pair[p] += gains[p][i];
    }
  double text_squares = 0, pair_squares = 0, rest_squares = 0;
  for (const int sum : of_text) text_squares += squared(sum / p_count - mean);
  for (const int sum : of_pair) pair_squares += squared(sum / n_count - mean);
  for (std::size_t p = 0; p < pairs; ++p)
    for (std::size_t i = 0; i < texts; ++i)
      rest_squares += squared(gains[p][i] - of_text[i] / p_count - of_pair[p] / n_count + mean);
  const double text_dof = n_count - 1, pair_dof = p_count - 1;
  // Without a second one there is nothing to divide, and nothing is known.
  const auto per = [](double squares, double dof) { return dof > 0 ? squares / dof : 0; };
  const double from_texts = per(text_squares, text_dof) / n_count;
  const double from_pairs = per(pair_squares, pair_dof) / p_count;
  const double rest = per(rest_squares, text_dof * pair_dof) / (p_count * n_count);
  const double variance = from_texts + std::max(0.0, from_pairs - rest);
  const double doubt = per(squared(from_texts), text_dof) + per(squared(from_pairs), pair_dof);
  if (texts == 1) return {-1, 1};
  if (doubt <= 0) return {mean, mean};
  const double least_dof = pairs > 1 ? std::min(text_dof, pair_dof) : text_dof;
  const double dof = std::max(least_dof, squared(variance) / doubt);
  const double half = student_t_quantile(0.975, dof) * std::sqrt(variance);
  return {std::max(-1.0, mean - half), std::min(1.0, mean + half)};
}

}  // namespace

AccuracyDifference accuracy_difference(
    const std::vector<std::pair<Predictions, Predictions>>& runs) {
  const std::vector<std::vector<int>> gains = gains_of(runs);
  const std::size_t pairs = gains.size(), texts = gains.front().size();
  if (texts == 0) throw Error("predictions", "must be of at least one text, but are of none");
  int sum = 0;  // a whole number: no order of the texts rounds otherwise
  for (const std::vector<int>& gain : gains) sum = std::accumulate(gain.begin(), gain.end(), sum);
  const double mean = sum / (static_cast<double>(pairs) * static_cast<double>(texts));
  return {mean, interval_about(mean, gains), pairs, texts};
}

}  // namespace bitlab
