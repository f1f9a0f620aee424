#pragma once
// Who hears of training. The trainer itself prints and writes nothing.
#include <filesystem>
#include <string>
#include <vector>

#include "core/io/metrics.h"

namespace bitlab {

struct TrainSpeed {
  double tokens_per_s = 0;  // since the last row
  double eta_seconds = 0;   // of the training steps that are left
};

class TrainObserver {
 public:
  virtual ~TrainObserver() = default;
  virtual void on_start(std::int64_t /*step*/, std::int64_t /*steps*/) {
  }  // step > 0: resumed there
  virtual void on_train(const TrainRow& /*row*/, const TrainSpeed& /*speed*/) {}
  virtual void on_eval(const EvalRow& /*row*/) {}
  virtual void on_quant(const std::vector<QuantRow>& /*rows*/) {
  }  // one row a ternary weight matrix
  virtual void on_checkpoint(std::int64_t /*step*/, const std::filesystem::path& /*dir*/) {}
};

// Tells several.
class TrainObservers : public TrainObserver {
 public:
  void add(TrainObserver& observer) { observers_.push_back(&observer); }
  void on_start(std::int64_t step, std::int64_t steps) override {
    for (TrainObserver* o : observers_) o->on_start(step, steps);
  }
  void on_train(const TrainRow& row, const TrainSpeed& speed) override {
    for (TrainObserver* o : observers_) o->on_train(row, speed);
  }
  void on_eval(const EvalRow& row) override {
    for (TrainObserver* o : observers_) o->on_eval(row);
  }
  void on_quant(const std::vector<QuantRow>& rows) override {
    for (TrainObserver* o : observers_) o->on_quant(rows);
  }
  void on_checkpoint(std::int64_t step, const std::filesystem::path& dir) override {
    for (TrainObserver* o : observers_) o->on_checkpoint(step, dir);
  }

 private:
  std::vector<TrainObserver*> observers_;
};

}  // namespace bitlab
