#pragma once
// How well texts were classified, from the predictions of a run (/predictions in metrics.h5).
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/io/metrics.h"

namespace bitlab {

struct ClassificationScores {
  double accuracy = 0;
  double f1 = 0;  // of each label, weighted by how many texts have it; 0 of one never predicted
  // Expected calibration error: |accuracy - mean probability| in 15 bins of the predicted label's
  // probability, weighted by their texts (Guo et al., arXiv 1706.04599).
  double calibration_error = 0;
  std::vector<std::vector<std::int64_t>> confusion;  // [label][predicted]
};

// Labels and predictions must be below `labels`. All zero without predictions.
ClassificationScores score(const std::vector<PredictionRow>& predictions, std::size_t labels);

struct Interval {
  double low = 0, high = 0;
};

// The middle 95 % of a statistic over resamples of the texts (percentile bootstrap). The same bits
// at every call.
Interval bootstrap_interval(const std::vector<PredictionRow>& predictions,
                            std::size_t labels,
                            const std::function<double(const ClassificationScores&)>& statistic,
                            std::size_t resamples = 1000);

// McNemar's test of two classifiers on the same texts.
struct McNemar {
  std::int64_t only_first = 0, only_second = 0;  // texts that one alone got right
  double p = 1;  // exact, two-sided: that the two are as likely to be right alone
};

// Throws Error if the two did not judge the same texts with the same labels.
McNemar mcnemar(const std::vector<PredictionRow>& first, const std::vector<PredictionRow>& second);

}  // namespace bitlab
