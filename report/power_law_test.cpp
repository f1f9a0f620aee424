#include "report/power_law.h"

#include <cmath>
#include <limits>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/rng.h"
#include "report/statistics.h"

namespace bitlab {
namespace {

const std::vector<double> kSizes = {2e4, 5e4, 1e5, 2.5e5, 5e5, 1e6};

// Losses of `seeds` runs at each size, all on the law but for the noise of sizes and of seeds.
std::vector<SizedLosses> losses_of(const PowerLaw& law,
                                   int seeds,
                                   double of_sizes = 0,
                                   double of_seeds = 0,
                                   std::uint64_t experiment = 0) {
  const Rng rng(experiment, "test of the power law");
  std::vector<SizedLosses> points;
  for (std::size_t s = 0; s < kSizes.size(); ++s) {
    SizedLosses point{kSizes[s], {}};
    const double mean = law.at(kSizes[s]) + of_sizes * rng.normal(s, 0);
    for (int seed = 1; seed <= seeds; ++seed)
      point.losses.push_back(mean + of_seeds * rng.normal(s, static_cast<std::uint64_t>(seed)));
    points.push_back(point);
  }
  return points;
}

double squared_error(const std::vector<SizedLosses>& points, const PowerLaw& law) {
  double sum = 0;
  for (const SizedLosses& point : points)
    for (const double loss : point.losses)
      sum += (loss - law.at(point.size)) * (loss - law.at(point.size));
  return sum;
}

TEST_CASE("a law is found again from losses that lie on it", "[report]") {
  for (const PowerLaw& law : {PowerLaw{1.69, 406.4, 0.34}, PowerLaw{0, 20, 0.076},
                              PowerLaw{0.8, 3e4, 1.2}, PowerLaw{2, 0, 0.5}}) {
    const PowerLaw found = fit_power_law(losses_of(law, 2));
    CHECK(found.floor == Approx(law.floor).margin(1e-5));
    CHECK(found.amplitude == Approx(law.amplitude).epsilon(1e-4).margin(1e-6));
    if (law.amplitude > 0) CHECK(found.exponent == Approx(law.exponent).epsilon(1e-4));
    CHECK(found.at(7e8) == Approx(law.at(7e8)).epsilon(1e-4));
  }
}

TEST_CASE("no law of a fine grid fits noisy losses better", "[report]") {
  for (std::uint64_t experiment = 0; experiment < 6; ++experiment) {
    const auto points = losses_of({1.2, 25, 0.3}, 3, 0.02, 0.01, experiment);
    const double found = squared_error(points, fit_power_law(points));
    double least = std::numeric_limits<double>::infinity();
    for (double floor = 0; floor < 2.2; floor += 0.02)
      for (double exponent = 0.02; exponent < 2; exponent *= 1.05)
        for (double at_smallest = 0.05; at_smallest < 3; at_smallest *= 1.05) {
          const PowerLaw law{floor, at_smallest * std::pow(kSizes[0], exponent), exponent};
          least = std::min(least, squared_error(points, law));
        }
    CHECK(found <= least);
    CHECK(found > 0.5 * least);  // the grid comes close
  }
}

TEST_CASE("losses that grow with size have no power in their law", "[report]") {
  auto points = losses_of({1, 0, 1}, 1);
  for (std::size_t i = 0; i < points.size(); ++i) points[i].losses[0] += 0.1 * i;
  const PowerLaw law = fit_power_law(points);
  CHECK(law.amplitude == 0);
  CHECK(law.floor == Approx(1.25));
}

TEST_CASE("a law needs four sizes", "[report]") {
  auto points = losses_of({1, 10, 0.3}, 2);
  points.resize(3);
  CHECK_THROWS_AS(fit_power_law(points), Error);
  points.push_back(points.back());
  CHECK_THROWS_AS(fit_power_law(points), Error);
}

TEST_CASE("the bootstrap's interval holds the law as often as it says", "[report]") {
  const PowerLaw truth{1.2, 25, 0.3};
  const double far = 1e7;
  int held = 0;
  constexpr int kExperiments = 120;
  for (int experiment = 0; experiment < kExperiments; ++experiment) {
    const auto points = losses_of(truth, 3, 0.01, 0.01, 1000 + experiment);
    std::vector<double> drawn;
    for (const PowerLaw& law : resample_power_law(points, fit_power_law(points), 400))
      drawn.push_back(law.at(far));
    const Interval interval = percentile_interval(drawn);
    held += interval.low <= truth.at(far) && truth.at(far) <= interval.high;
  }
  CAPTURE(held);
  CHECK(held >= 0.9 * kExperiments);
  CHECK(held < kExperiments);  // an interval that never misses is too wide
}

TEST_CASE("draws of arms with the same scatter are paired", "[report]") {
  const auto full = losses_of({1.2, 25, 0.3}, 3, 0.02, 0.01);
  auto bit = full;
  for (SizedLosses& point : bit)
    for (double& loss : point.losses) loss += 0.125;
  const auto a = resample_power_law(full, fit_power_law(full), 50);
  const auto b = resample_power_law(bit, fit_power_law(bit), 50);
  bool differs = false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(b[i].at(1e6) - a[i].at(1e6) == Approx(0.125).epsilon(1e-6));
    differs |= std::abs(a[i].at(1e6) - a[0].at(1e6)) > 1e-3;
  }
  CHECK(differs);
}

}  // namespace
}  // namespace bitlab
