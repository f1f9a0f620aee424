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

// Accuracy of a classifier minus that of a baseline, mean over P pairs of runs that judged the same
// N texts. Other texts and other seeds would give another mean: with gains g of 1, 0 or -1 of each
// pair on each text, crossed at random (Searle, Casella & McCulloch, "Variance Components", 1992),
//
//   variance = var(mean gains of texts) / N + max(0, var(mean gains of pairs) / P - e / (P N))
//
// with e the mean square that is left without both means, for each of the first two has it. The 95
// % interval is mean +- t sqrt(variance), its degrees of freedom by Satterthwaite 1946
// (doi:10.2307/3002019): few seeds that differ make it wide; it ends at -1 and 1. With two seeds
// that differ more than texts do it holds about nine times in ten, with three or more as often as
// it says. With one pair there are the texts alone, and it says nothing of other seeds.
struct AccuracyDifference {
  double mean = 0;
  Interval interval;
  std::size_t pairs = 0, texts = 0;
};

using Predictions = const std::vector<PredictionRow>*;

// baseline first in each pair; at least one. Throws Error if not all judged the same texts, or
// none.
AccuracyDifference accuracy_difference(
    const std::vector<std::pair<Predictions, Predictions>>& runs);

}  // namespace bitlab
