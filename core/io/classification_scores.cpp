#include "core/io/classification_scores.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/error.h"
#include "core/base/rng.h"

namespace bitlab {

namespace {

constexpr std::size_t kBins = 15;

double weighted_f1(const std::vector<std::vector<std::int64_t>>& confusion, double texts) {
  double sum = 0;
  for (std::size_t label = 0; label < confusion.size(); ++label) {
    double support = 0, predicted = 0;
    for (std::size_t i = 0; i < confusion.size(); ++i) {
      support += static_cast<double>(confusion[label][i]);
      predicted += static_cast<double>(confusion[i][label]);
    }
    const auto right = static_cast<double>(confusion[label][label]);
    // 2 p r / (p + r) with p = right / predicted, r = right / support
    if (right > 0) sum += support * 2 * right / (support + predicted);
  }
  return sum / texts;
}

// Of the predictions that pick(0) .. pick(count - 1) name.
template <class Pick>
ClassificationScores score_of(const std::vector<PredictionRow>& predictions,
                              std::size_t labels,
                              std::size_t count,
                              const Pick& pick) {
  ClassificationScores s;
  s.confusion.assign(labels, std::vector<std::int64_t>(labels));
  struct Bin {
    double texts = 0, right = 0, probability = 0;
  };
  std::vector<Bin> bins(kBins);
  for (std::size_t i = 0; i < count; ++i) {
    const PredictionRow& row = predictions[pick(i)];
    ++s.confusion.at(static_cast<std::size_t>(row.label))
          .at(static_cast<std::size_t>(row.predicted));
    const auto at = static_cast<std::size_t>(row.probability * static_cast<double>(kBins));
    Bin& bin = bins[std::min(at, kBins - 1)];
    ++bin.texts;
    bin.right += row.label == row.predicted;
    bin.probability += row.probability;
  }
  if (count == 0) return s;
  const auto texts = static_cast<double>(count);
  for (const Bin& bin : bins) {
    s.accuracy += bin.right / texts;
    s.calibration_error += std::fabs(bin.right - bin.probability) / texts;
  }
  s.f1 = weighted_f1(s.confusion, texts);
  return s;
}

}  // namespace

ClassificationScores score(const std::vector<PredictionRow>& predictions, std::size_t labels) {
  return score_of(predictions, labels, predictions.size(), [](std::size_t i) { return i; });
}

Interval bootstrap_interval(const std::vector<PredictionRow>& predictions,
                            std::size_t labels,
                            const std::function<double(const ClassificationScores&)>& statistic,
                            std::size_t resamples) {
  if (predictions.empty() || resamples == 0) return {};
  const Rng rng(1, "bootstrap");
  std::vector<double> values(resamples);
  for (std::size_t r = 0; r < resamples; ++r)
    values[r] = statistic(score_of(predictions, labels, predictions.size(), [&](std::size_t i) {
      return static_cast<std::size_t>(rng.below(predictions.size(), r, i));
    }));
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[static_cast<std::size_t>(
        std::lround(share * static_cast<double>(resamples - 1)))];
  };
  return {at(0.025), at(0.975)};
}

McNemar mcnemar(const std::vector<PredictionRow>& first, const std::vector<PredictionRow>& second) {
  std::map<std::int64_t, const PredictionRow*> by_text;
  for (const PredictionRow& row : second) by_text[row.text] = &row;
  McNemar result;
  if (by_text.size() != first.size() || second.size() != first.size())
    throw Error("mcnemar", "both must have judged the same texts, but have not");
  for (const PredictionRow& row : first) {
    const auto other = by_text.find(row.text);
    if (other == by_text.end() || other->second->label != row.label)
      throw Error("mcnemar", "both must have judged the same texts, but have not");
    const bool right = row.predicted == row.label,
               other_right = other->second->predicted == row.label;
    result.only_first += right && !other_right;
    result.only_second += other_right && !right;
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

}  // namespace bitlab
