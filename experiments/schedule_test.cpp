// Learning rate and weight decay over the steps, against values worked out by hand and
// the b1.58 FAQ.
#include "experiments/schedule.h"

#include <cmath>

#include "core/base/catch.h"

using namespace bitlab;

namespace {

double lr_at(const ScheduleConfig& schedule, std::int64_t step, std::int64_t steps, double lr = 1) {
  return schedule_at(schedule, lr, 0.1, step, steps).lr;
}

ScheduleConfig named(const std::string& name) {
  ScheduleConfig schedule;
  schedule.name = name;
  return schedule;
}

}  // namespace

TEST_CASE("the b1.58 schedule passes through the published points", "[experiments][schedule]") {
  // The 700M model of the b1.58 FAQ, decoded from its figures 1c and 1d.
  ScheduleConfig schedule = named("two_stage_linear");
  schedule.warmup_steps = 375;
  schedule.lr_end = 3e-5;
  schedule.peak2 = 1e-3;
  schedule.weight_decay2 = 0;
  const std::int64_t steps = 100000;
  CHECK(lr_at(schedule, 49950, steps, 1.5e-3) == Approx(7.68e-4).epsilon(1e-3));
  CHECK(lr_at(schedule, 50050, steps, 1.5e-3) == Approx(5.16e-4).epsilon(1e-3));
  CHECK(lr_at(schedule, 100000, steps, 1.5e-3) == Approx(3e-5));
  CHECK(lr_at(schedule, 375, steps, 1.5e-3) == Approx(1.5e-3));
  CHECK(lr_at(schedule, 374, steps, 1.5e-3) == Approx(1.5e-3).epsilon(0.01));
  CHECK(schedule_at(schedule, 1.5e-3, 0.1, 49999, steps).weight_decay == 0.1);
  CHECK(schedule_at(schedule, 1.5e-3, 0.1, 50000, steps).weight_decay == 0);
  // One jump, downwards, at the switch; straight lines on both sides.
  const double before = lr_at(schedule, 49999, steps, 1.5e-3),
               after = lr_at(schedule, 50000, steps, 1.5e-3);
  CHECK((after - 3e-5) / (before - 3e-5) == Approx(0.97 / 1.47).epsilon(1e-4));
  for (std::int64_t t : {1000, 20000, 60000, 99000}) {
    const double bend = lr_at(schedule, t - 1, steps, 1.5e-3) -
                        2 * lr_at(schedule, t, steps, 1.5e-3) +
                        lr_at(schedule, t + 1, steps, 1.5e-3);
    CHECK(std::fabs(bend) < 1e-15);
  }
}

TEST_CASE("a constant schedule stays, with and without warm-up", "[experiments][schedule]") {
  ScheduleConfig schedule = named("constant");
  for (const std::int64_t step : {0, 1, 50, 99}) {
    CHECK(lr_at(schedule, step, 100, 0.3) == 0.3);
    CHECK(schedule_at(schedule, 0.3, 0.1, step, 100).weight_decay == 0.1);
  }
  schedule.warmup_steps = 4;
  CHECK(lr_at(schedule, 0, 100) == Approx(0.25));
  CHECK(lr_at(schedule, 2, 100) == Approx(0.75));
  CHECK(lr_at(schedule, 3, 100) == Approx(1));
  CHECK(lr_at(schedule, 4, 100) == 1);
}

TEST_CASE("linear and cosine come down from the peak to lr_end", "[experiments][schedule]") {
  ScheduleConfig linear = named("linear"), cosine = named("cosine");
  linear.warmup_steps = cosine.warmup_steps = 10;
  linear.lr_end = cosine.lr_end = 0.1;
  for (const auto& schedule : {&linear, &cosine}) {
    CHECK(lr_at(*schedule, 10, 110) == Approx(1));
    CHECK(lr_at(*schedule, 60, 110) == Approx(0.55));
    CHECK(lr_at(*schedule, 110, 110) == Approx(0.1));
    for (std::int64_t t = 10; t < 110; ++t)
      CHECK(lr_at(*schedule, t + 1, 110) < lr_at(*schedule, t, 110));
  }
  CHECK(lr_at(linear, 35, 110) == Approx(0.1 + 0.9 * 0.75));
  CHECK(lr_at(cosine, 35, 110) == Approx(0.1 + 0.9 * 0.5 * (1 + std::cos(M_PI / 4))));
}

TEST_CASE("weight decay switches where it is told to, with any shape", "[experiments][schedule]") {
  ScheduleConfig schedule = named("cosine");
  schedule.weight_decay2 = 0.02;
  schedule.switch_at = 0.3;
  CHECK(schedule_at(schedule, 1, 0.1, 29, 100).weight_decay == 0.1);
  CHECK(schedule_at(schedule, 1, 0.1, 30, 100).weight_decay == 0.02);
}

TEST_CASE("a warm-up longer than the run never passes the peak", "[experiments][schedule]") {
  for (const char* name : {"constant", "linear", "cosine", "two_stage_linear"}) {
    ScheduleConfig schedule = named(name);
    schedule.warmup_steps = 50;
    schedule.peak2 = 0.5;
    for (std::int64_t t = 0; t <= 20; ++t) {
      const double lr = lr_at(schedule, t, 20);
      CHECK((std::isfinite(lr) && lr > 0 && lr <= 1));
    }
  }
}
