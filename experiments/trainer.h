#pragma once
// The training loop of one run: steps, log rows, evaluations, checkpoints, resume, divergence.
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>

#include "core/base/thread_team.h"
#include "experiments/checkpoint.h"
#include "experiments/task.h"
#include "experiments/train_observer.h"
#include "experiments/update_step.h"

namespace bitlab {

struct TrainerSettings {
  UpdateSettings update;
  EvalConfig eval;
  std::filesystem::path run_dir;  // where checkpoints go
  std::string config_json;        // goes into each checkpoint
};

struct TrainOutcome {
  enum class End { Done, Diverged, Stopped };
  End end = End::Done;
  std::int64_t step = 0;     // steps done, or the step that diverged
  double train_seconds = 0;  // in steps, over all attempts
  double tokens_per_s = 0;   // over these
};

class Trainer {
 public:
  // Goes on from the newest complete checkpoint in run_dir if there is one.
  Trainer(TrainerSettings settings,
          LanguageModel& model,
          const Task& task,
          ThreadTeam& team,
          TrainObserver& observer);

  // The step that run() begins with: 0, or where the checkpoint left off.
  std::int64_t first_step() const { return state_.step; }

  // Whether the evaluation of that step is behind it.
  bool first_evaluated() const { return state_.step > 0 && !state_.evaluation_due; }

  // Trains to the end, to divergence, or until `stop` is non-zero, which is obeyed after the step
  // in progress with a checkpoint saved; an evaluation in progress is given up if the team heeds
  // the same `stop`, and is the first thing that is done when the run goes on.
  TrainOutcome run(const std::atomic<int>& stop);

 private:
  bool one_step();  // false: diverged
  void log_row();
  bool evaluate();  // false: given up, and nothing is told
  void save();
  void save_last_evaluation();  // that was due, into the checkpoint of the last step
  bool due(std::int64_t every) const;
  std::int64_t evaluations_left() const;  // behind this step
  const TrainConfig& train() const { return settings_.update.train; }

  TrainerSettings settings_;
  LanguageModel& model_;
  const Task& task_;
  ThreadTeam& team_;
  TrainObserver& observer_;
  UpdateStep update_;
  TrainerState state_;
  TernaryCodes codes_;         // at the last row of /quant
  double seconds_at_log_ = 0;  // train_seconds at the last row of /train
  std::int64_t step_at_log_ = 0, tokens_at_log_ = 0;
  double evaluation_seconds_ = 0;  // of the last one of this attempt
};

}  // namespace bitlab
