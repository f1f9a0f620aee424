#pragma once
// Who hears of training. The trainer itself prints and writes nothing.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/registry.h"
#include "core/config/fields.h"
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
  // Of a task that classifies texts, after on_eval.
  virtual void on_scores(const ScoreRow& /*row*/,
                         const std::vector<PredictionRow>& /*predictions*/) {}
  virtual void on_quant(const std::vector<QuantRow>& /*rows*/) {
  }  // one row a ternary weight matrix
  // What was told so far belongs to the checkpoint that is written next.
  virtual void before_checkpoint(std::int64_t /*step*/) {}
  virtual void on_checkpoint(std::int64_t /*step*/, const std::filesystem::path& /*dir*/) {}
};

// What an observer is made for.
struct ObserverContext {
  std::filesystem::path run_dir;  // files of its own go there
  std::string experiment, arm;
  std::uint64_t seed = 1;
  std::int64_t first_step = 0;  // above 0: resumed there
  // False if the evaluation of that step is told first: what is there of it is told anew.
  bool first_evaluated = true;
};

// The plugin point `observer`: what `observers` of the experiment names, beside those that write
// metrics.h5, the log and the progress of every run.
struct ObserverPlugin {
  int version = 1;
  std::string description = {};
  MakeConfig make_config = no_settings;
  std::function<std::unique_ptr<TrainObserver>(const ObserverContext& context,
                                               const Configurable& config)>
      make = {};
};

Registry<ObserverPlugin>& observers();

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
  void on_scores(const ScoreRow& row, const std::vector<PredictionRow>& predictions) override {
    for (TrainObserver* o : observers_) o->on_scores(row, predictions);
  }
  void on_quant(const std::vector<QuantRow>& rows) override {
    for (TrainObserver* o : observers_) o->on_quant(rows);
  }
  void before_checkpoint(std::int64_t step) override {
    for (TrainObserver* o : observers_) o->before_checkpoint(step);
  }
  void on_checkpoint(std::int64_t step, const std::filesystem::path& dir) override {
    for (TrainObserver* o : observers_) o->on_checkpoint(step, dir);
  }

 private:
  std::vector<TrainObserver*> observers_;
};

}  // namespace bitlab
