// Scores of predictions, against figures worked out by hand and by enumeration.
#include "core/io/classification_scores.h"

#include "core/base/catch.h"

using namespace bitlab;

namespace {

// 4 labels of 0 (3 found), 6 of 1 (4 found).
std::vector<PredictionRow> ten() {
  std::vector<PredictionRow> rows;
  const int label[] = {0, 0, 0, 0, 1, 1, 1, 1, 1, 1};
  const int predicted[] = {0, 0, 0, 1, 1, 1, 1, 1, 0, 0};
  for (int i = 0; i < 10; ++i) rows.push_back({7, i, label[i], predicted[i], 0.9, 0.1});
  return rows;
}

}  // namespace

TEST_CASE("accuracy, weighted F1 and the confusion matrix", "[classification]") {
  const ClassificationScores s = score(ten(), 2);
  CHECK(s.confusion == std::vector<std::vector<std::int64_t>>{{3, 1}, {2, 4}});
  CHECK(s.accuracy == Approx(0.7));
  const double f0 = 2 * (3.0 / 5) * (3.0 / 4) / (3.0 / 5 + 3.0 / 4);
  const double f1 = 2 * (4.0 / 5) * (4.0 / 6) / (4.0 / 5 + 4.0 / 6);
  CHECK(s.f1 == Approx(0.4 * f0 + 0.6 * f1));
  auto one = ten();
  for (PredictionRow& row : one) row.predicted = 1;  // label 0 never: its F1 is 0
  CHECK(score(one, 2).f1 == Approx(0.6 * 2 * 0.6 / 1.6));
  CHECK(score({}, 2).accuracy == 0);
}

TEST_CASE("calibration is the distance of accuracy and probability, bin by bin",
          "[classification]") {
  CHECK(score(ten(), 2).calibration_error == Approx(0.2));  // sure of 0.9, right in 0.7
  auto rows = ten();
  for (PredictionRow& row : rows) row.probability = row.label == row.predicted ? 1 : 0.51;
  CHECK(score(rows, 2).calibration_error == Approx(0.3 * 0.51));
  for (PredictionRow& row : rows) row.probability = 0.7;
  CHECK(score(rows, 2).calibration_error == Approx(0).margin(1e-12));
}
