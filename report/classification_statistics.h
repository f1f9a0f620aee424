#pragma once
// How far the scores of classifiers can be trusted: intervals over test texts and seeds, and
// McNemar's test.
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/io/metrics.h"
#include "report/statistics.h"

namespace bitlab {

// The middle 95 % of each score (core/io/classification_scores.h) over resamples of the texts
// (percentile bootstrap). The same bits at every call; all zero without predictions.
struct ScoreIntervals {
  Interval accuracy, f1, calibration_error, loss;
};

// Nats a text; 0 without predictions.
double mean_loss(const std::vector<PredictionRow>& predictions);

ScoreIntervals score_intervals(const std::vector<PredictionRow>& predictions,
                               std::size_t labels,
                               std::size_t resamples = 1000);

// McNemar's test of two classifiers on the same texts.
struct McNemar {
  std::int64_t only_first = 0, only_second = 0;  // texts that one alone got right
  double p = 1;  // exact, two-sided: that the two are as likely to be right alone
};

// Throws Error if the two did not judge the same texts with the same labels.
McNemar mcnemar(const std::vector<PredictionRow>& first, const std::vector<PredictionRow>& second);

// Accuracy of a classifier minus that of a baseline, mean over pairs of runs that judged the same
// texts. The interval is the middle 95 % over resamples of the texts, the same ones for all runs,
// and of the pairs: with one pair it says nothing of other seeds.
struct AccuracyDifference {
  double mean = 0;
  Interval interval;
  std::size_t pairs = 0, texts = 0;
};

using Predictions = const std::vector<PredictionRow>*;

// baseline first in each pair; at least one. Throws Error if not all judged the same texts.
AccuracyDifference accuracy_difference(const std::vector<std::pair<Predictions, Predictions>>& runs,
                                       std::size_t resamples = 2000);

}  // namespace bitlab
