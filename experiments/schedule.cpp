#include "experiments/schedule.h"

#include <cmath>

#include "core/config/choice.h"

namespace bitlab {

void ScheduleConfig::fields(FieldVisitor& v) {
  choice_field(v, "name", name, settings, schedules(), "shape of the learning rate");
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

namespace {

double constant(const ScheduleConfig&, const ScheduleMoment& now) { return now.lr; }

double linear(const ScheduleConfig& schedule, const ScheduleMoment& now) {
  return schedule.lr_end + (now.lr - schedule.lr_end) * now.left;
}

double cosine(const ScheduleConfig& schedule, const ScheduleMoment& now) {
  return schedule.lr_end + (now.lr - schedule.lr_end) * 0.5 * (1 - std::cos(M_PI * now.left));
}

double two_stage_linear(const ScheduleConfig& schedule, const ScheduleMoment& now) {
  return schedule.lr_end +
         ((now.second_stage ? schedule.peak2 : now.lr) - schedule.lr_end) * now.left;
}

void register_builtin_schedules(Registry<SchedulePlugin>& registry) {
  registry.add("constant", {1, "the peak, after warm-up", no_settings, constant});
  registry.add("linear", {1, "straight down to lr_end", no_settings, linear});
  registry.add("cosine", {1, "half a cosine down to lr_end", no_settings, cosine});
  registry.add("two_stage_linear", {1, "straight down, from peak2 after the switch (b1.58 FAQ)",
                                    no_settings, two_stage_linear});
}

}  // namespace

Registry<SchedulePlugin>& schedules() {
  static Registry<SchedulePlugin> registry("schedule", register_builtin_schedules);
  return registry;
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
  const double left = total > warmup ? (total - t) / (total - warmup) : 0;
  now.lr = schedules().at(schedule.name).lr(schedule, {lr, step, steps, left, second_stage});
  return now;
}

}  // namespace bitlab
