#include "core/io/classification_scores.h"

#include <algorithm>
#include <cmath>

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

}  // namespace

ClassificationScores score(const std::vector<PredictionRow>& predictions, std::size_t labels) {
  ClassificationScores s;
  s.confusion.assign(labels, std::vector<std::int64_t>(labels));
  struct Bin {
    double texts = 0, right = 0, probability = 0;
  };
  std::vector<Bin> bins(kBins);
  for (const PredictionRow& row : predictions) {
    ++s.confusion.at(static_cast<std::size_t>(row.label))
          .at(static_cast<std::size_t>(row.predicted));
    const auto at = static_cast<std::size_t>(row.probability * static_cast<double>(kBins));
    Bin& bin = bins[std::min(at, kBins - 1)];
    ++bin.texts;
    bin.right += row.label == row.predicted;
    bin.probability += row.probability;
  }
  if (predictions.empty()) return s;
  const auto texts = static_cast<double>(predictions.size());
  for (const Bin& bin : bins) {
    s.accuracy += bin.right / texts;
    s.calibration_error += std::fabs(bin.right - bin.probability) / texts;
  }
  s.f1 = weighted_f1(s.confusion, texts);
  return s;
}

}  // namespace bitlab
