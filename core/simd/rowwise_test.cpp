// Element-wise kernels and sums of every table against plain double-precision loops, and NaN in
// all that go row by row.
#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/error.h"
#include "core/simd/kernel_test.h"

using bitlab::real;
using namespace bitlab::simd;

TEST_CASE("gelu with the exact erf is accurate to 1e-6, forward and backward", "[simd][math]") {
  for_each_table([](const Kernels& k) {
    double worst = 0, worst_slope = 0;
    for (int i = -120000; i <= 120000; ++i) {
      const real x = static_cast<real>(i) / 10000;
      const double v = x, phi = 0.5 * std::erfc(-v / std::sqrt(2.0));
      real y, dy = 1;
      k.gelu_forward(1, &x, &y);
      k.gelu_backward(1, &x, &dy);
      worst = std::max(worst, std::fabs(y - v * phi) / std::max(1.0, std::fabs(v)));
      worst_slope = std::max(
          worst_slope, std::fabs(dy - (phi + v * std::exp(-v * v / 2) / std::sqrt(2 * M_PI))));
    }
    CHECK(worst < 1e-6);
    CHECK(worst_slope < 1e-6);
    for (const real x : {real(20), real(1e4), real(1e18), real(-20), real(-1e4), real(-1e18)}) {
      real y, dy = 3;
      k.gelu_forward(1, &x, &y);
      k.gelu_backward(1, &x, &dy);
      CHECK(y == (x > 0 ? x : 0));
      CHECK(dy == (x > 0 ? 3 : 0));
    }
  });
}

TEST_CASE("element-wise kernels equal plain loops at every length", "[simd]") {
  for_each_table([](const Kernels& k) {
    for (size_t n = 0; n <= 70; ++n) {
      CAPTURE(n);
      const Reals x = noise(n, "x"), start = noise(n, "y");
      Reals y = guarded(n), dy = start, g = guarded(n), sum = start;
      dy.push_back(kGuard);
      sum.push_back(kGuard);
      k.relu_forward(n, x.data(), y.data());
      k.relu_backward(n, y.data(), dy.data());
      k.gelu_forward(n, x.data(), g.data());
      std::vector<real> copied(n);
      k.copy(n, x.data(), copied.data());
      CHECK(copied == x);
      k.add(n, x.data(), sum.data());
      for (size_t i = 0; i < n; ++i) {
        REQUIRE(y[i] == std::max(x[i], real(0)));
        REQUIRE(dy[i] == (x[i] > 0 ? start[i] : 0));
        REQUIRE(std::fabs(g[i] - x[i] * 0.5 * std::erfc(-x[i] / std::sqrt(2.0))) < 1e-6);
        REQUIRE(sum[i] == x[i] + start[i]);
      }
      CHECK((y[n] == kGuard && dy[n] == kGuard && g[n] == kGuard && sum[n] == kGuard));
    }
  });
}

TEST_CASE("relu has slope 0 at 0", "[simd]") {
  for_each_table([](const Kernels& k) {
    const real x[3] = {0, real(-0.0), 1};
    real y[3], dy[3] = {5, 5, 5};
    k.relu_forward(3, x, y);
    k.relu_backward(3, y, dy);
    CHECK((dy[0] == 0 && dy[1] == 0 && dy[2] == 5));
  });
}

TEST_CASE("biases are added to every row, and their gradient to what was there", "[simd]") {
  for_each_table([](const Kernels& k) {
    for (const size_t cols : kWidths) {
      const size_t rows = 5;
      const Reals b = noise(cols, "b"), start = noise(rows * cols, "y");
      Reals y = start, db(cols, 3);
      k.add_bias(rows, cols, b.data(), y.data());
      k.bias_backward(rows, cols, start.data(), db.data());
      for (size_t c = 0; c < cols; ++c) {
        double sum = 3;
        for (size_t r = 0; r < rows; ++r) {
          sum += start[r * cols + c];
          REQUIRE(y[r * cols + c] == start[r * cols + c] + b[c]);
        }
        REQUIRE(db[c] == Approx(sum).margin(1e-5));
      }
    }
  });
}

TEST_CASE("sums over long vectors keep six digits", "[simd]") {
  for_each_table([](const Kernels& k) {
    for (const size_t n : {0, 1, 4095, 4096, 4097, 1000000}) {
      const Reals x = noise(n, "x", 1, 0.3);
      double squares = 0, sizes = 0;
      for (const real v : x) {
        squares += static_cast<double>(v) * v;
        sizes += std::fabs(static_cast<double>(v));
      }
      CHECK(k.sum_of_squares(n, x.data()) == Approx(squares).epsilon(1e-6));
      CHECK(k.sum_of_abs(n, x.data()) == Approx(sizes).epsilon(1e-6));
    }
  });
}

TEST_CASE("NaN stays visible in every row-wise kernel", "[simd][nan]") {
  for_each_table([](const Kernels& k) {
    const size_t n = 37;
    for (size_t at = 0; at < n; ++at) {
      CAPTURE(at);
      Reals x = noise(n, "x"), y(n), stats(1), more(1), dy = noise(n, "dy"), dw(n), db(n);
      x[at] = kNaN;
      const auto all_nan = [](const Reals& v) {
        return std::all_of(v.begin(), v.end(), [](real u) { return std::isnan(u); });
      };
      k.relu_forward(n, x.data(), y.data());
      CHECK(std::isnan(y[at]));
      k.gelu_forward(n, x.data(), y.data());
      CHECK(std::isnan(y[at]));
      Reals slope = dy;
      k.gelu_backward(n, x.data(), slope.data());
      CHECK(std::isnan(slope[at]));
      k.rmsnorm_forward(1, n, x.data(), nullptr, real(1e-5), y.data(), stats.data());
      CHECK((all_nan(y) && all_nan(stats)));
      k.layernorm_forward(1, n, x.data(), nullptr, nullptr, real(1e-5), y.data(), more.data(),
                          stats.data());
      CHECK((all_nan(y) && all_nan(stats)));
      CHECK(std::isnan(k.sum_of_squares(n, x.data())));
      CHECK(std::isnan(k.sum_of_abs(n, x.data())));
      // A NaN gradient: through the norms to every input, through the activations to its own.
      const Reals good = noise(n, "x");
      Reals bad = dy, out(n);
      bad[at] = kNaN;
      k.rmsnorm_forward(1, n, good.data(), nullptr, real(1e-5), y.data(), stats.data());
      k.rmsnorm_backward(1, n, bad.data(), good.data(), nullptr, stats.data(), out.data(), nullptr);
      CHECK(all_nan(out));
      k.layernorm_forward(1, n, good.data(), nullptr, nullptr, real(1e-5), y.data(), more.data(),
                          stats.data());
      k.layernorm_backward(1, n, bad.data(), good.data(), nullptr, more.data(), stats.data(),
                           out.data(), dw.data(), db.data());
      CHECK((all_nan(out) && std::isnan(dw[at]) && std::isnan(db[at])));
    }
  });
}

TEST_CASE("a NaN that relu passed on still has a NaN gradient", "[simd][nan]") {
  for_each_table([](const Kernels& k) {
    const real y[2] = {kNaN, 1};
    real dy[2] = {1, kNaN};
    k.relu_backward(2, y, dy);
    CHECK(std::isnan(dy[1]));
  });
}

TEST_CASE("a table that does not exist is refused with the names that do", "[simd]") {
  CHECK_THROWS_AS(kernels_named("sse9"), bitlab::UsageError);
  CHECK(available_kernels().back() == "portable");
}
