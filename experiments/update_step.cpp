#include "experiments/update_step.h"

#include <cmath>

namespace bitlab {

UpdateStep::UpdateStep(UpdateSettings settings,
                       LanguageModel& model,
                       const Task& task,
                       ThreadTeam& team)
    : settings_(std::move(settings)),
      model_(model),
      team_(team),
      optimizer_(make_optimizer(settings_.optim, model.params())),
      gradient_(model, settings_.train, settings_.seed, task.train_batches()) {}

StepSettings UpdateStep::schedule(std::int64_t step) const {
  return schedule_at(settings_.schedule, settings_.optim.lr, settings_.optim.weight_decay, step,
                     settings_.train.steps);
}

double UpdateStep::run(std::int64_t step) {
  const double loss = gradient_.run(static_cast<std::uint64_t>(step), team_);
  if (!std::isfinite(loss)) return loss;
  double scale = 1;
  if (settings_.optim.clip > 0) {
    const double norm = gradient_.gradient_norm(team_);
    if (norm > settings_.optim.clip) scale = settings_.optim.clip / norm;
  }
  optimizer_->step(gradient_.gradient(), scale, schedule(step), step, team_);
  model_.prepare(static_cast<std::uint64_t>(step) + 1, team_);
  return loss;
}

}  // namespace bitlab
