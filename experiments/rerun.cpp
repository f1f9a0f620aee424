#include "experiments/rerun.h"

#include <algorithm>
#include <cstring>

#include "core/base/files.h"
#include "core/io/losses.h"
#include "core/io/metrics.h"
#include "experiments/checkpoint.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

// A NaN equals itself: gradients of a run that is about to diverge may be one.
bool same_bits(double x, double y) { return std::memcmp(&x, &y, sizeof x) == 0; }

bool same(const TrainRow& x, const TrainRow& y) {
  return x.step == y.step && x.tokens == y.tokens && same_bits(x.loss, y.loss) &&
         same_bits(x.lr, y.lr) && same_bits(x.grad_norm, y.grad_norm);
}

bool same(const EvalRow& x, const EvalRow& y) {
  return x.step == y.step && x.split == y.split && same_bits(x.loss, y.loss) &&
         same_bits(x.standard_error, y.standard_error) && x.tokens == y.tokens;
}

bool same(const QuantRow& x, const QuantRow& y) {
  return x.step == y.step && x.layer == y.layer && same_bits(x.minus, y.minus) &&
         same_bits(x.zero, y.zero) && same_bits(x.plus, y.plus) && same_bits(x.flips, y.flips) &&
         same_bits(x.scale, y.scale);
}

bool same(const ScoreRow& x, const ScoreRow& y) {
  return x.step == y.step && x.split == y.split && same_bits(x.accuracy, y.accuracy) &&
         same_bits(x.f1, y.f1) && same_bits(x.calibration_error, y.calibration_error);
}

bool same(const PredictionRow& x, const PredictionRow& y) {
  return x.step == y.step && x.text == y.text && x.label == y.label && x.predicted == y.predicted &&
         same_bits(x.probability, y.probability) && same_bits(x.loss, y.loss);
}

// The step of the first row that is not in both.
template <class Row>
void compare(const std::vector<Row>& a,
             const std::vector<Row>& b,
             std::optional<std::int64_t>& first) {
  std::size_t i = 0;
  while (i < a.size() && i < b.size() && same(a[i], b[i])) ++i;
  if (i == a.size() && i == b.size()) return;
  const std::int64_t step = i < a.size() ? a[i].step : b[i].step;
  first = std::min(first.value_or(step), step);
}

}  // namespace

RunComparison compare_runs(const fs::path& a, const fs::path& b) {
  const RunMetrics in_a = read_metrics(a / "metrics.h5"), in_b = read_metrics(b / "metrics.h5");
  RunComparison result;
  result.loss_a = final_val_loss(in_a.eval);
  result.loss_b = final_val_loss(in_b.eval);
  compare(in_a.train, in_b.train, result.differ_from);
  compare(in_a.eval, in_b.eval, result.differ_from);
  compare(in_a.quant, in_b.quant, result.differ_from);
  compare(in_a.scores, in_b.scores, result.differ_from);
  compare(in_a.predictions, in_b.predictions, result.differ_from);
  const auto of_a = list_checkpoints(a), of_b = list_checkpoints(b);
  result.weights_compared = !of_a.empty() && !of_b.empty();
  if (result.weights_compared)
    result.same_weights = read_file(of_a.back() / "model.safetensors") ==
                          read_file(of_b.back() / "model.safetensors");
  return result;
}

}  // namespace bitlab
