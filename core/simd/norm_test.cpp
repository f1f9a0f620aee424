// RMSNorm and LayerNorm of every table against their definitions in double precision.
#include <algorithm>
#include <cmath>

#include "core/simd/kernel_test.h"

using bitlab::real;
using namespace bitlab::simd;

namespace {

// A norm by its definition. Central moments in double; `centre` makes it a LayerNorm.
struct NormReference {
  Doubles y, dx, dw, db, mean, rstd;
  double largest_term = 0;  // of the sums that dx is made of
  NormReference(size_t rows,
                size_t cols,
                const Reals& x,
                const real* w,
                const real* b,
                double eps,
                bool centre,
                const Reals& dy)
      : y(rows * cols), dx(rows * cols), dw(cols), db(cols), mean(rows), rstd(rows) {
    for (size_t r = 0; r < rows; ++r) {
      double mu = 0, square = 0, g_mean = 0, gx_mean = 0;
      const auto n = static_cast<double>(cols);
      if (centre)
        for (size_t c = 0; c < cols; ++c) mu += x[r * cols + c] / n;
      for (size_t c = 0; c < cols; ++c)
        square += (x[r * cols + c] - mu) * (x[r * cols + c] - mu) / n;
      const double scale = 1 / std::sqrt(square + eps);
      Doubles hat(cols), g(cols);
      for (size_t c = 0; c < cols; ++c) {
        const double gain = w ? w[c] : 1, grad = dy[r * cols + c];
        hat[c] = (x[r * cols + c] - mu) * scale;
        y[r * cols + c] = hat[c] * gain + (b ? b[c] : 0);
        dw[c] += grad * hat[c];
        db[c] += grad;
        g[c] = grad * gain;
        largest_term = std::max(largest_term, scale * std::fabs(g[c]));
        g_mean += centre ? g[c] / n : 0;
        gx_mean += g[c] * hat[c] / n;
      }
      for (size_t c = 0; c < cols; ++c)
        dx[r * cols + c] = scale * (g[c] - g_mean - hat[c] * gx_mean);
      mean[r] = mu;
      rstd[r] = scale;
    }
  }
};

}  // namespace

TEST_CASE("rmsnorm equals its definition, forward and backward", "[simd][norm]") {
  for_each_table([](const Kernels& k) {
    for (const size_t cols : kWidths)
      for (const bool gain : {true, false}) {
        CAPTURE(cols, gain);
        const size_t rows = 3;
        const Reals x = noise(rows * cols, "x", 2), w = noise(cols, "w", 0.5, 1),
                    dy = noise(rows * cols, "dy");
        const double eps = 1e-5;
        const NormReference want(rows, cols, x, gain ? w.data() : nullptr, nullptr, eps, false, dy);
        Reals y = guarded(rows * cols), rstd = guarded(rows), dx = guarded(rows * cols),
              dw(cols, 10);
        k.rmsnorm_forward(rows, cols, x.data(), gain ? w.data() : nullptr, real(eps), y.data(),
                          rstd.data());
        k.rmsnorm_backward(rows, cols, dy.data(), x.data(), gain ? w.data() : nullptr, rstd.data(),
                           dx.data(), gain ? dw.data() : nullptr);
        CHECK(distance(y, want.y) < 1e-6);
        CHECK(distance(rstd, want.rstd) < 1e-6);
        CHECK(distance(dx, want.dx, want.largest_term) < 2e-6);
        for (size_t c = 0; c < cols; ++c)
          CHECK(dw[c] == Approx(gain ? 10 + want.dw[c] : 10).margin(1e-5));
        CHECK((y.back() == kGuard && rstd.back() == kGuard && dx.back() == kGuard));
        Reals in_place = dy;  // dx may be dy
        Reals dw2(cols);
        k.rmsnorm_backward(rows, cols, in_place.data(), x.data(), gain ? w.data() : nullptr,
                           rstd.data(), in_place.data(), gain ? dw2.data() : nullptr);
        CHECK(std::equal(in_place.begin(), in_place.end(), dx.begin()));
      }
  });
}

TEST_CASE("layernorm equals its definition, forward and backward", "[simd][norm]") {
  for_each_table([](const Kernels& k) {
    for (const size_t cols : kWidths)
      for (const int parts : {0, 1, 2}) {  // none, gain, gain and shift
        CAPTURE(cols, parts);
        if (cols == 1) continue;  // the variance is 0
        const size_t rows = 3;
        const Reals x = noise(rows * cols, "x", 2, 5), w = noise(cols, "w", 0.5, 1),
                    b = noise(cols, "b"), dy = noise(rows * cols, "dy");
        const double eps = 1e-5;
        const real* gain = parts > 0 ? w.data() : nullptr;
        const real* shift = parts > 1 ? b.data() : nullptr;
        const NormReference want(rows, cols, x, gain, shift, eps, true, dy);
        Reals y = guarded(rows * cols), mean = guarded(rows), rstd = guarded(rows),
              dx = guarded(rows * cols);
        Reals dw(cols, 10), db(cols, 20);
        k.layernorm_forward(rows, cols, x.data(), gain, shift, real(eps), y.data(), mean.data(),
                            rstd.data());
        k.layernorm_backward(rows, cols, dy.data(), x.data(), gain, mean.data(), rstd.data(),
                             dx.data(), gain ? dw.data() : nullptr, shift ? db.data() : nullptr);
        const double tolerance =
            cols == 2 ? 1e-4 : 5e-6;  // few columns: differences of near numbers
        CHECK(distance(y, want.y) < tolerance);
        CHECK(distance(mean, want.mean) < 1e-6);
        CHECK(distance(rstd, want.rstd) < tolerance);
        CHECK(distance(dx, want.dx, want.largest_term) < tolerance);
        for (size_t c = 0; c < cols; ++c) {
          CHECK(dw[c] == Approx(gain ? 10 + want.dw[c] : 10).margin(1e-4));
          CHECK(db[c] == Approx(shift ? 20 + want.db[c] : 20).margin(1e-5));
        }
        CHECK((y.back() == kGuard && mean.back() == kGuard && rstd.back() == kGuard &&
               dx.back() == kGuard));
      }
  });
}

TEST_CASE("layernorm keeps its precision far from zero", "[simd][norm]") {
  for_each_table([](const Kernels& k) {
    const size_t cols = 256;
    const Reals x = noise(cols, "x", 1, 1000);  // a one-pass variance in float would be noise
    const NormReference want(1, cols, x, nullptr, nullptr, 1e-5, true, x);
    Reals y(cols), mean(1), rstd(1);
    k.layernorm_forward(1, cols, x.data(), nullptr, nullptr, real(1e-5), y.data(), mean.data(),
                        rstd.data());
    CHECK(distance(y, want.y) < 2e-4);  // of the mean's own rounding, 6e-5 of a standard deviation
    CHECK(rstd[0] == Approx(want.rstd[0]).epsilon(1e-5));
  });
}
