#pragma once
// Learning rate and weight decay over the steps.
#include <cstdint>
#include <string>

#include "core/config/fields.h"

namespace bitlab {

struct ScheduleConfig : Configurable {
  std::string name = "constant";  // constant, linear, cosine, two_stage_linear
  std::int64_t warmup_steps = 0;  // linear from 0
  double lr_end = 0;              // what linear, cosine and two_stage_linear come down to
  double peak2 = 0;               // two_stage_linear: the peak after the switch
  double switch_at = 0.5;         // the switch, as a fraction of all steps
  double weight_decay2 = -1;      // weight decay after the switch; negative: it stays

  void fields(FieldVisitor& v) override;
};

struct StepSettings {
  double lr = 0;
  double weight_decay = 0;
};

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
