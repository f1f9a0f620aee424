#pragma once
// How well texts were classified, from the predictions of a run (/predictions in metrics.h5).
#include <cstddef>
#include <cstdint>
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

}  // namespace bitlab
