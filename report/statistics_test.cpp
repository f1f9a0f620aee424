#include "report/statistics.h"

#include "core/base/catch.h"
#include "core/base/error.h"

namespace bitlab {
namespace {

TEST_CASE("mean and standard deviation are those of a hand calculation", "[report]") {
  // Deviations from 5: -3 -1 -1 -1 0 0 2 4; squares sum to 32; 32 / 7.
  const Summary s = summarize({2, 4, 4, 4, 5, 5, 7, 9});
  CHECK(s.n == 8);
  CHECK(s.mean == 5);
  CHECK(*s.sd == Approx(2.1380899));
}

TEST_CASE("one value has no spread, none has no figures", "[report]") {
  CHECK(summarize({1.5}).mean == 1.5);
  CHECK_FALSE(summarize({1.5}).sd);
  CHECK(summarize({}).n == 0);
}

TEST_CASE("Student's t quantiles are those of printed tables", "[report]") {
  CHECK(student_t_quantile(0.975, 1) == Approx(12.706).epsilon(1e-4));
  CHECK(student_t_quantile(0.975, 2) == Approx(4.303).epsilon(2e-4));
  CHECK(student_t_quantile(0.975, 4) == Approx(2.776).epsilon(2e-4));
  CHECK(student_t_quantile(0.975, 9) == Approx(2.262).epsilon(2e-4));
  CHECK(student_t_quantile(0.975, 29) == Approx(2.045).epsilon(3e-4));
  CHECK(student_t_quantile(0.95, 5) == Approx(2.015).epsilon(2e-4));
}

TEST_CASE("the paired interval is that of a hand calculation", "[report]") {
  // Differences 0.10 0.08 0.11: mean 0.09666667, sd sqrt(4.666667e-4 / 2) = 0.01527525;
  // half width 4.302653 * 0.01527525 / sqrt(3) = 0.0379459.
  const PairedDifference d = paired_difference({1.80, 1.84, 1.88}, {1.90, 1.92, 1.99});
  CHECK(d.n == 3);
  CHECK(d.mean == Approx(0.0966667));
  CHECK(d.interval->low == Approx(0.0587207).epsilon(1e-5));
  CHECK(d.interval->high == Approx(0.1346126).epsilon(1e-5));
}

TEST_CASE("one pair has a difference and no interval", "[report]") {
  const PairedDifference d = paired_difference({2.0}, {1.5});
  CHECK(d.mean == -0.5);
  CHECK_FALSE(d.interval);
}

TEST_CASE("pairs must be pairs", "[report]") {
  CHECK_THROWS_AS(paired_difference({1, 2}, {1}), Error);
  CHECK_THROWS_AS(paired_difference({}, {}), Error);
}

}  // namespace
}  // namespace bitlab
