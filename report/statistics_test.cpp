#include "report/statistics.h"

#include <algorithm>
#include <cmath>

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

// U and two-sided p of all ways to choose which of the ranks 1 .. n_a + n_b are those of a.
double enumerated_p(std::size_t n_a, std::size_t n_b, double u) {
  std::vector<bool> from_a(n_a + n_b, false);
  std::fill(from_a.begin(), from_a.begin() + static_cast<std::ptrdiff_t>(n_a), true);
  const double pairs = static_cast<double>(n_a * n_b);
  double all = 0, as_far = 0;
  do {
    double above = 0;
    for (std::size_t i = 0; i < from_a.size(); ++i)
      for (std::size_t j = 0; j < i; ++j) above += from_a[i] && !from_a[j];
    ++all;
    as_far += std::min(above, pairs - above) <= std::min(u, pairs - u);
  } while (std::prev_permutation(from_a.begin(), from_a.end()));
  return as_far / all;
}

TEST_CASE("Mann-Whitney's exact p is that of all orders of the ranks", "[report]") {
  for (std::size_t n_a = 1; n_a <= 5; ++n_a)
    for (std::size_t n_b = 1; n_b <= 5; ++n_b)
      for (std::size_t shift = 0; shift <= n_b; ++shift) {
        std::vector<double> a, b;
        for (std::size_t i = 0; i < n_b; ++i) b.push_back(static_cast<double>(i));
        for (std::size_t i = 0; i < n_a; ++i)
          a.push_back(static_cast<double>(shift) - 0.5 + 0.01 * static_cast<double>(i));
        const MannWhitney test = mann_whitney(a, b);
        CHECK(test.exact);
        CHECK(test.u == static_cast<double>(n_a * shift));
        CHECK(test.p == Approx(enumerated_p(n_a, n_b, test.u)));
        CHECK(mann_whitney(b, a).p == Approx(test.p));
      }
}

// Ranks of a such that U is `u`, against n_b values at whole numbers.
double p_for(std::size_t n_a, std::size_t n_b, std::size_t u) {
  std::vector<double> a, b;
  for (std::size_t i = 0; i < n_b; ++i) b.push_back(static_cast<double>(i));
  for (std::size_t i = 0; i < n_a; ++i) {
    const std::size_t above = std::min(u, n_b);
    u -= above;
    a.push_back(static_cast<double>(above) - 0.5 - 0.001 * static_cast<double>(i));
  }
  return mann_whitney(a, b).p;
}

TEST_CASE("Mann-Whitney's critical values are those of printed tables", "[report]") {
  // The largest U with a two-sided p of at most 0.05; Mann & Whitney's table, in every textbook.
  struct Row {
    std::size_t n_a, n_b, critical;
  };
  for (const Row& row : {Row{4, 4, 0},
                         {5, 5, 2},
                         {6, 6, 5},
                         {7, 7, 8},
                         {8, 8, 13},
                         {10, 10, 23},
                         {12, 12, 37},
                         {15, 15, 64},
                         {20, 20, 127},
                         {3, 5, 0},
                         {5, 9, 7},
                         {8, 12, 22}}) {
    CHECK(p_for(row.n_a, row.n_b, row.critical) <= 0.05);
    CHECK(p_for(row.n_a, row.n_b, row.critical + 1) > 0.05);
  }
  CHECK(p_for(3, 3, 0) == Approx(0.1));  // the least that three seeds an arm can show
}

TEST_CASE("with ties or many values Mann-Whitney's p is the normal approximation", "[report]") {
  // U = 4 of 25; three 4s and two 6s: variance 25 / 12 (11 - (24 + 6) / 90) = 22.2222;
  // z = (12.5 - 4 - 0.5) / 4.714045 = 1.697056; two-sided p = 0.0896860.
  const MannWhitney tied = mann_whitney({1, 2, 3, 4, 4}, {4, 5, 6, 6, 2.5});
  CHECK_FALSE(tied.exact);
  CHECK(tied.u == 4);
  CHECK(tied.p == Approx(0.0896860).epsilon(1e-5));
  const MannWhitney equal = mann_whitney({1, 1, 1}, {1, 1});
  CHECK(equal.p == 1);
  CHECK(equal.u == 3);
  // Without ties and with 50 values both ways must nearly agree.
  std::vector<double> a, b;
  for (int i = 0; i < 50; ++i) {
    a.push_back(i);
    b.push_back(i + 10.5);
  }
  const MannWhitney exact = mann_whitney(a, b);
  a.push_back(24.25);
  const MannWhitney normal = mann_whitney(a, b);
  CHECK(exact.exact);
  CHECK_FALSE(normal.exact);
  CHECK(normal.p == Approx(exact.p).epsilon(0.1));
}

TEST_CASE("Mann-Whitney's test needs values", "[report]") {
  CHECK_THROWS_AS(mann_whitney({}, {1}), Error);
  CHECK_THROWS_AS(mann_whitney({1}, {std::nan("")}), Error);
}

TEST_CASE("the least p of a rank test is that of samples which do not overlap", "[statistics]") {
  for (std::size_t n_a = 1; n_a <= 5; ++n_a)
    for (std::size_t n_b = 1; n_b <= 5; ++n_b) {
      std::vector<double> low, high;
      for (std::size_t i = 0; i < n_a; ++i) low.push_back(static_cast<double>(i));
      for (std::size_t i = 0; i < n_b; ++i) high.push_back(100 + static_cast<double>(i));
      CAPTURE(n_a, n_b);
      CHECK(least_p(n_a, n_b) == Approx(mann_whitney(low, high).p).epsilon(1e-12));
    }
}

TEST_CASE("the estimate of a shift is the median of all differences", "[statistics]") {
  // Differences 1-3, 1-7, 2-3, 2-7, 9-3, 9-7 = -6 -5 -2 -1 2 6.
  CHECK(hodges_lehmann({1, 2, 9}, {3, 7}) == Approx(-1.5));
  CHECK(hodges_lehmann({4}, {1, 2, 9}) == Approx(2));
  CHECK_THROWS_AS(hodges_lehmann({}, {1}), Error);
}

}  // namespace
}  // namespace bitlab
