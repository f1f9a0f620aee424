#include "experiments/schedule.h"

#include <cmath>

namespace bitlab {

void ScheduleConfig::fields(FieldVisitor& v) {
  v.field("name", name,
          {.help = "shape of the learning rate",
           .choices = {"constant", "linear", "cosine", "two_stage_linear"}});
  v.field("warmup_steps", warmup_steps, {.help = "steps of linear warm-up from 0", .min = 0});
  v.field("lr_end", lr_end,
          {.help = "learning rate at the last step (not for constant)", .min = 0});
  v.field("peak2", peak2, {.help = "two_stage_linear: the peak after the switch", .min = 0});
  v.field(
      "switch_at", switch_at,
      {.help = "where the second stage begins, as a fraction of all steps", .min = 0, .max = 1});
  v.field("weight_decay2", weight_decay2,
          {.help = "weight decay of the second stage; negative: as in the first"});
  v.require(name != "two_stage_linear" || peak2 > 0, "peak2", "must be set for two_stage_linear",
            "the b1.58 recipe uses two thirds of optim.lr");
}

StepSettings schedule_at(const ScheduleConfig& schedule,
                         double lr,
                         double weight_decay,
                         std::int64_t step,
                         std::int64_t steps) {
  const double t = static_cast<double>(step), total = static_cast<double>(steps);
  const double warmup = static_cast<double>(schedule.warmup_steps);
  const bool second_stage = t >= schedule.switch_at * total;
  StepSettings now{lr, weight_decay};
  if (second_stage && schedule.weight_decay2 >= 0) now.weight_decay = schedule.weight_decay2;
  if (t < warmup) {
    now.lr = lr * (t + 1) / warmup;
    return now;
  }
  const double left = total > warmup ? (total - t) / (total - warmup) : 0;  // 1 .. 0
  if (schedule.name == "linear")
    now.lr = schedule.lr_end + (lr - schedule.lr_end) * left;
  else if (schedule.name == "cosine")
    now.lr = schedule.lr_end + (lr - schedule.lr_end) * 0.5 * (1 - std::cos(M_PI * left));
  else if (schedule.name == "two_stage_linear")
    now.lr = schedule.lr_end + ((second_stage ? schedule.peak2 : lr) - schedule.lr_end) * left;
  return now;
}

}  // namespace bitlab
