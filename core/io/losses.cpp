#include "core/io/losses.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace bitlab {

namespace {

const EvalRow* last_row(const std::vector<EvalRow>& eval, const std::string& split) {
  const auto found = std::find_if(eval.rbegin(), eval.rend(),
                                  [&](const EvalRow& row) { return row.split == split; });
  return found == eval.rend() ? nullptr : &*found;
}

std::optional<double> finite(double x) {
  return std::isfinite(x) ? std::optional<double>(x) : std::nullopt;
}

}  // namespace

std::optional<double> final_val_loss(const std::vector<EvalRow>& eval) {
  const EvalRow* row = last_row(eval, "val");
  return row == nullptr ? std::nullopt : finite(row->loss);
}

std::optional<double> best_val_loss(const std::vector<EvalRow>& eval, std::int64_t from_step) {
  std::optional<double> best;
  for (const EvalRow& row : eval)
    if (row.split == "val" && row.step >= from_step && std::isfinite(row.loss) &&
        (!best || row.loss < *best))
      best = row.loss;
  return best ? best : final_val_loss(eval);
}

std::optional<double> final_train_loss(const std::vector<TrainRow>& train,
                                       const std::vector<EvalRow>& eval) {
  if (const EvalRow* row = last_row(eval, "train")) return finite(row->loss);
  if (train.empty()) return std::nullopt;
  const std::int64_t from = train.back().step - train.back().step / 10;
  double sum = 0, steps = 0;
  for (std::size_t i = 0; i < train.size(); ++i) {
    if (train[i].step <= from) continue;
    // A row's loss is the mean over the steps since the row before.
    const double weight = static_cast<double>(train[i].step - (i > 0 ? train[i - 1].step : 0));
    sum += weight * train[i].loss;
    steps += weight;
  }
  return steps > 0 ? finite(sum / steps) : finite(train.back().loss);
}

}  // namespace bitlab
