// Row-wise and element-wise kernels of every table against plain double-precision loops.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/simd/kernels.h"

using bitlab::real;
using namespace bitlab::simd;

namespace {

using Reals = std::vector<real>;
using Doubles = std::vector<double>;

constexpr real kNaN = std::numeric_limits<real>::quiet_NaN();
constexpr real kInf = std::numeric_limits<real>::infinity();
constexpr real kGuard = 4321;
const std::vector<size_t> kWidths = {1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 64, 100, 257, 1000};

Reals noise(size_t n, const char* purpose, double std = 1, double shift = 0) {
  Reals x(n);
  bitlab::Rng(7, purpose).fill_normal(std, x.data(), n);
  for (real& v : x) v += static_cast<real>(shift);
  return x;
}

Reals guarded(size_t n) {  // one value more, to see writes past the end
  Reals x(n + 1, kGuard);
  return x;
}

// Greatest difference relative to the greatest expected magnitude, or to `size` if that is greater
// (for sums whose terms cancel); NaN counts as infinite.
double distance(const Reals& got, const Doubles& want, double size = 1e-30) {
  double worst = 0;
  for (const double w : want) size = std::max(size, std::fabs(w));
  for (size_t i = 0; i < want.size(); ++i) {
    const double d = std::fabs(static_cast<double>(got[i]) - want[i]);
    worst = d <= worst ? worst : (std::isnan(d) ? INFINITY : d);
  }
  return worst / size;
}

void for_each_table(const std::function<void(const Kernels&)>& test) {
  for (const std::string& name : available_kernels()) {
    CAPTURE(name);
    test(kernels_named(name));
  }
}

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

TEST_CASE("cross-entropy and its gradient equal their definition", "[simd][loss]") {
  for_each_table([](const Kernels& k) {
    for (const size_t vocab : kWidths)
      for (const double spread : {0.1, 3.0, 1e3, 1e30}) {
        CAPTURE(vocab, spread);
        const size_t rows = 4;
        const Reals z = noise(rows * vocab, "z", spread);
        const std::vector<std::int32_t> targets = {0, static_cast<std::int32_t>(vocab - 1), -1,
                                                   static_cast<std::int32_t>(vocab / 2)};
        Doubles want_loss(rows), want_d(rows * vocab);
        double total = 0;
        for (size_t r = 0; r < rows; ++r) {
          if (targets[r] < 0) continue;
          double top = -INFINITY, sum = 0;
          for (size_t c = 0; c < vocab; ++c) top = std::max<double>(top, z[r * vocab + c]);
          for (size_t c = 0; c < vocab; ++c) sum += std::exp(z[r * vocab + c] - top);
          want_loss[r] = std::log(sum) + top - z[r * vocab + static_cast<size_t>(targets[r])];
          total += want_loss[r];
          for (size_t c = 0; c < vocab; ++c)
            want_d[r * vocab + c] =
                (std::exp(z[r * vocab + c] - top) / sum - (c == static_cast<size_t>(targets[r]))) *
                0.25;
        }
        Reals d = guarded(rows * vocab);
        Doubles losses(rows, 99);
        const double got = k.cross_entropy(rows, vocab, z.data(), targets.data(), real(0.25),
                                           d.data(), losses.data());
        CHECK(got == Approx(total).epsilon(2e-6).margin(1e-6));
        for (size_t r = 0; r < rows; ++r)
          CHECK(losses[r] == Approx(want_loss[r]).epsilon(2e-6).margin(1e-6));
        for (size_t i = 0; i < want_d.size(); ++i)
          REQUIRE(std::fabs(static_cast<double>(d[i]) - want_d[i]) < 2e-7);
        CHECK(d.back() == kGuard);
        CHECK(k.cross_entropy(rows, vocab, z.data(), targets.data(), 1, nullptr, nullptr) ==
              Approx(got));
        Reals in_place = z;
        k.cross_entropy(rows, vocab, in_place.data(), targets.data(), real(0.25), in_place.data(),
                        nullptr);
        CHECK(std::equal(in_place.begin(), in_place.end(), d.begin()));
      }
  });
}

TEST_CASE("one NaN or infinite logit makes its row's loss and gradient NaN", "[simd][loss][nan]") {
  for_each_table([](const Kernels& k) {
    const size_t vocab = 65;
    for (const real bad : {kNaN, kInf})
      for (size_t at = 0; at < vocab; ++at) {
        Reals z = noise(3 * vocab, "z");
        z[vocab + at] = bad;
        const std::vector<std::int32_t> targets = {3, 4, 5};
        Reals d(3 * vocab);
        Doubles losses(3);
        const double total =
            k.cross_entropy(3, vocab, z.data(), targets.data(), 1, d.data(), losses.data());
        REQUIRE(std::isnan(total));
        REQUIRE((std::isfinite(losses[0]) && std::isnan(losses[1]) && std::isfinite(losses[2])));
        REQUIRE(std::all_of(d.begin() + vocab, d.begin() + 2 * vocab,
                            [](real v) { return std::isnan(v); }));
        REQUIRE(std::isfinite(d[0]));
        REQUIRE(
            std::isnan(k.cross_entropy(3, vocab, z.data(), targets.data(), 1, nullptr, nullptr)));
      }
  });
}

TEST_CASE("exp is accurate over the whole range that softmax uses", "[simd][math]") {
  // Cross-entropy of two logits 0 and x <= 0 shows exp(x) in the gradient: p = exp(x) / (1 +
  // exp(x)).
  for_each_table([](const Kernels& k) {
    double worst = 0;
    for (int i = 0; i <= 200000; ++i) {
      const real x = static_cast<real>(-86.5 * i / 200000.0);
      const real z[2] = {0, x};
      const std::int32_t target = 0;
      real d[2];
      k.cross_entropy(1, 2, z, &target, 1, d, nullptr);
      const double want = std::exp(static_cast<double>(x)) / (1 + std::exp(static_cast<double>(x)));
      worst = std::max(worst, std::fabs(d[1] / want - 1));
    }
    CHECK(worst < 4e-7);
    for (const real x :
         {real(-88), real(-1e4), real(-1e30), -kInf}) {  // far below: 0, never garbage
      const real z[2] = {0, x};
      const std::int32_t target = 0;
      real d[2];
      CHECK(k.cross_entropy(1, 2, z, &target, 1, d, nullptr) == 0);
      CHECK((d[0] == 0 && d[1] == 0));
    }
  });
}

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

TEST_CASE("adamw equals the update written out in double", "[simd][adamw]") {
  for_each_table([](const Kernels& k) {
    for (const size_t n : {1, 7, 64, 1003}) {
      Reals w = noise(n, "w"), m(n), v(n);
      Doubles dw(w.begin(), w.end()), dm(n), dv(n);
      const double lr = 3e-3, b1 = 0.9, b2 = 0.95, eps = 1e-8, decay = 0.1, clip = 0.3;
      for (int t = 1; t <= 20; ++t) {
        const Reals g = noise(n, ("g" + std::to_string(t)).c_str(), t % 3 ? 1 : 1e-6);
        AdamWArgs args;
        args.n = n;
        args.w = w.data();
        args.m = m.data();
        args.v = v.data();
        args.g = g.data();
        args.grad_scale = real(clip);
        args.lr = real(lr);
        args.beta1 = real(b1);
        args.beta2 = real(b2);
        args.eps = real(eps);
        args.weight_decay = real(decay);
        args.correction1 = static_cast<real>(1 - std::pow(b1, t));
        args.correction2 = static_cast<real>(1 - std::pow(b2, t));
        k.adamw(args);
        for (size_t i = 0; i < n; ++i) {
          const double grad = g[i] * clip;
          dm[i] = b1 * dm[i] + (1 - b1) * grad;
          dv[i] = b2 * dv[i] + (1 - b2) * grad * grad;
          dw[i] *= 1 - lr * decay;
          dw[i] -= lr * (dm[i] / (1 - std::pow(b1, t))) /
                   (std::sqrt(dv[i] / (1 - std::pow(b2, t))) + eps);
        }
      }
      CHECK(distance(w, dw) < 2e-6);
      CHECK(distance(m, dm) < 2e-6);
      CHECK(distance(v, dv) < 2e-6);
    }
  });
}

TEST_CASE("adamw leaves a weight with no gradient alone but for its decay", "[simd][adamw]") {
  for_each_table([](const Kernels& k) {
    real w = 2, m = 0, v = 0;
    const real g = 0;
    AdamWArgs args;
    args.n = 1;
    args.w = &w;
    args.m = &m;
    args.v = &v;
    args.g = &g;
    args.lr = real(0.5);
    args.beta1 = real(0.9);
    args.beta2 = real(0.999);
    args.eps = real(1e-8);
    args.weight_decay = real(0.5);
    args.correction1 = real(0.1);
    args.correction2 = real(0.001);
    k.adamw(args);
    CHECK((w == real(1.5) && m == 0 && v == 0));
    const real bad = kNaN;
    args.g = &bad;
    k.adamw(args);
    CHECK(std::isnan(w));
  });
}

TEST_CASE("a table that does not exist is refused with the names that do", "[simd]") {
  CHECK_THROWS_AS(kernels_named("sse9"), bitlab::UsageError);
  CHECK(available_kernels().back() == "portable");
}
