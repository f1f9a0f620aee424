#pragma once
// Learning rate and weight decay over the steps.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/base/registry.h"
#include "core/config/fields.h"

namespace bitlab {

struct ScheduleConfig : Configurable {
  std::string name = "constant";
  std::shared_ptr<Configurable> settings;  // the schedule's own, in the table schedule.NAME
  std::int64_t warmup_steps = 0;           // linear from 0
  double lr_end = 0;                       // what linear, cosine and two_stage_linear come down to
  double peak2 = 0;                        // two_stage_linear: the peak after the switch
  double switch_at = 0.5;                  // the switch, as a fraction of all steps
  double weight_decay2 = -1;               // weight decay after the switch; negative: it stays

  void fields(FieldVisitor& v) override;
};

struct StepSettings {
  double lr = 0;
  double weight_decay = 0;
};

// Where in a run a step stands.
struct ScheduleMoment {
  double lr = 0;              // the peak
  std::int64_t step = 0;      // counted from 0; warm-up is over
  std::int64_t steps = 0;     // of the run
  double left = 0;            // of the time after warm-up: 1 at its end, 0 at the last step's end
  bool second_stage = false;  // at or past switch_at
};

// The plugin point `schedule`. Warm-up and weight decay are the same for all.
struct SchedulePlugin {
  int version = 1;  // enters the run id: raise it when results change
  std::string description = {};
  MakeConfig make_config = no_settings;
  // The learning rate. schedule.settings are those that make_config made.
  std::function<double(const ScheduleConfig& schedule, const ScheduleMoment& moment)> lr = {};
};

//   constant, linear, cosine, two_stage_linear
Registry<SchedulePlugin>& schedules();

// What optimiser step `step` (counted from 0) of `steps` uses. lr and weight_decay are the peak
// values.
//   two_stage_linear: lr_end + (peak - lr_end) (T - t) / (T - warmup), peak = lr before the switch,
//   peak2 after (decoded from the figure of the b1.58 FAQ).
StepSettings schedule_at(const ScheduleConfig& schedule,
                         double lr,
                         double weight_decay,
                         std::int64_t step,
                         std::int64_t steps);

}  // namespace bitlab
