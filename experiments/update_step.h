#pragma once
// One whole optimiser step: schedule, loss and gradient, clipping, optimiser, preparing the layers.
// What the trainer runs and what benchmarks time.
#include <cstdint>

#include "experiments/optimizer.h"
#include "experiments/schedule.h"
#include "experiments/task.h"
#include "experiments/train_step.h"

namespace bitlab {

struct UpdateSettings {
  OptimConfig optim;
  ScheduleConfig schedule;
  TrainConfig train;
  std::uint64_t seed = 1;
};

class UpdateStep {
 public:
  // Model, task and team must outlive it.
  UpdateStep(UpdateSettings settings, LanguageModel& model, const Task& task, ThreadTeam& team);

  // Step `step` (counted from 0) of the run; the model is ready for the next one after. Returns the
  // mean loss before the update, in nats a token. A loss that is not finite is returned without an
  // update.
  double run(std::int64_t step);

  // The learning rate that run(step) uses.
  StepSettings schedule(std::int64_t step) const;

  Optimizer& optimizer() { return *optimizer_; }
  double gradient_norm() {
    return gradient_.gradient_norm(team_);
  }  // of the last step, before clipping
  // Of the last step, as TrainStep counts them.
  std::size_t tokens() const { return gradient_.tokens(); }
  double flops() const { return gradient_.flops(); }

 private:
  UpdateSettings settings_;
  LanguageModel& model_;
  ThreadTeam& team_;
  std::unique_ptr<Optimizer> optimizer_;
  TrainStep gradient_;
};

}  // namespace bitlab
