// Kernels of the LLaMA family, of every table against plain double-precision loops: gated
// activations, centring, rotary positions.
#include <cmath>

#include "core/simd/kernel_test.h"

using bitlab::real;
using namespace bitlab::simd;

namespace {

// Within a few roundings of the greatest value that takes part.
bool near(real got, double want, double size = 1) {
  return std::fabs(double(got) - want) <= 2e-6 * std::max(size, std::fabs(want));
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// An activation and its slope.
struct Gated {
  void (*Kernels::*forward)(size_t, size_t, const real*, real*);
  void (*Kernels::*backward)(size_t, size_t, const real*, real*);
  double (*act)(double);
  double (*slope)(double);
};

const Gated kGated[] = {
    {&Kernels::swiglu_forward, &Kernels::swiglu_backward, [](double x) { return x * sigmoid(x); },
     [](double x) { return sigmoid(x) * (1 + x * (1 - sigmoid(x))); }},
    {&Kernels::relu2_glu_forward, &Kernels::relu2_glu_backward,
     [](double x) { return x > 0 ? x * x : 0; }, [](double x) { return x > 0 ? 2 * x : 0; }}};

}  // namespace

TEST_CASE("gated activations equal their definition, forward and backward", "[simd][glu]") {
  for_each_table([](const Kernels& k) {
    for (const Gated& gated : kGated)
      for (const size_t cols : kWidths) {
        const size_t rows = 3;
        Reals gu = noise(2 * rows * cols, "gu", 3), h(rows * cols + 1, kGuard);
        const Reals before = gu, dh = noise(rows * cols, "dh");
        (k.*gated.forward)(rows, cols, gu.data(), h.data());
        REQUIRE(h.back() == kGuard);
        REQUIRE(gu == before);
        gu.push_back(kGuard);
        (k.*gated.backward)(rows, cols, dh.data(), gu.data());
        REQUIRE(gu.back() == kGuard);
        for (size_t r = 0; r < rows; ++r)
          for (size_t c = 0; c < cols; ++c) {
            const size_t gate = 2 * r * cols + c, up = gate + cols, at = r * cols + c;
            const double g = before[gate], u = before[up], d = dh[at];
            REQUIRE(near(h[at], gated.act(g) * u, std::fabs(g * u)));
            REQUIRE(near(gu[gate], d * u * gated.slope(g), std::fabs(d * u) * (1 + std::fabs(g))));
            REQUIRE(near(gu[up], d * gated.act(g), std::fabs(d * g)));
          }
      }
  });
}

TEST_CASE("gated activations stay finite far out and pass NaN on", "[simd][glu][nan]") {
  for_each_table([](const Kernels& k) {
    for (const Gated& gated : kGated) {
      Reals gu = {1e4, -1e4, 88, -88, kNaN, 1, 1, 1, 1, 1, 1, kNaN};
      const Reals dh(6, 1);
      Reals h(6);
      (k.*gated.forward)(1, 6, gu.data(), h.data());
      CHECK(h[1] == Approx(0).margin(1e-30));
      CHECK(h[3] == Approx(0).margin(1e-30));
      CHECK((std::isfinite(h[0]) && std::isnan(h[4]) && std::isnan(h[5])));
      (k.*gated.backward)(1, 6, dh.data(), gu.data());
      for (const size_t c : {0, 1, 2, 3}) CHECK((std::isfinite(gu[c]) && std::isfinite(gu[6 + c])));
      CHECK((std::isnan(gu[4]) && std::isnan(gu[10]) && std::isnan(gu[5])));
    }
  });
}

TEST_CASE("relu squared equals its definition, forward and backward", "[simd][relu2]") {
  for_each_table([](const Kernels& k) {
    for (const size_t n : kWidths) {
      Reals x = noise(n, "x", 2), y(n + 1, kGuard), dy = noise(n, "dy");
      const Reals before = dy;
      k.relu2_forward(n, x.data(), y.data());
      REQUIRE(y.back() == kGuard);
      k.relu2_backward(n, x.data(), dy.data());
      for (size_t i = 0; i < n; ++i) {
        const double v = std::max<double>(x[i], 0);
        REQUIRE(near(y[i], v * v));
        REQUIRE(near(dy[i], 2 * v * before[i]));
      }
      x[0] = kNaN;
      k.relu2_forward(n, x.data(), y.data());
      k.relu2_backward(n, x.data(), dy.data());
      REQUIRE((std::isnan(y[0]) && std::isnan(dy[0])));
    }
  });
}

TEST_CASE("centring equals its definition, forward and backward", "[simd][norm]") {
  for_each_table([](const Kernels& k) {
    for (const size_t cols : kWidths) {
      const size_t rows = 3;
      const Reals x = noise(rows * cols, "x", 2), w = noise(cols, "w"),
                  dy = noise(rows * cols, "dy");
      Reals y(rows * cols + 1, kGuard), dx(rows * cols + 1, kGuard), dw(cols, 10);
      k.centering_forward(rows, cols, x.data(), w.data(), y.data());
      k.centering_backward(rows, cols, dy.data(), x.data(), w.data(), dx.data(), dw.data());
      REQUIRE((y.back() == kGuard && dx.back() == kGuard));
      std::vector<double> slope(cols, 10);
      for (size_t r = 0; r < rows; ++r) {
        double mean = 0, pull = 0;
        for (size_t c = 0; c < cols; ++c) {
          mean += x[r * cols + c] / double(cols);
          pull += double(w[c]) * dy[r * cols + c] / double(cols);
        }
        for (size_t c = 0; c < cols; ++c) {
          const size_t at = r * cols + c;
          REQUIRE(near(y[at], (x[at] - mean) * w[c], 8));
          REQUIRE(near(dx[at], double(w[c]) * dy[at] - pull, 4));
          slope[c] += dy[at] * (x[at] - mean);
        }
      }
      for (size_t c = 0; c < cols; ++c) REQUIRE(near(dw[c], slope[c], 10));
      Reals in_place = dy;
      std::fill(dw.begin(), dw.end(), real(10));
      k.centering_backward(rows, cols, in_place.data(), x.data(), w.data(), in_place.data(),
                           dw.data());
      in_place.push_back(kGuard);
      REQUIRE(in_place == dx);
    }
  });
}

TEST_CASE("rope turns the pairs of each head by the angle of its position", "[simd][rope]") {
  for_each_table([](const Kernels& k) {
    for (const size_t d_head : {2, 6, 16, 34, 64})
      for (const bool inverse : {false, true}) {
        const size_t rows = 6, seq_len = 3, first = 2, heads = 2, stride = 3 * d_head + 1;
        Reals table((first + seq_len) * d_head), x = noise(rows * stride, "x");
        for (size_t p = 0; p < first + seq_len; ++p)
          for (size_t i = 0; i < d_head / 2; ++i) {
            table[p * d_head + i] = static_cast<real>(std::cos(double(p) * (0.3 + double(i))));
            table[p * d_head + d_head / 2 + i] =
                static_cast<real>(std::sin(double(p) * (0.3 + double(i))));
          }
        Reals y = x;
        k.rope({rows, seq_len, first, heads, d_head, stride, d_head + 1, table.data(), inverse,
                y.data()});
        Reals want = x;
        for (size_t r = 0; r < rows; ++r)
          for (size_t h = 0; h < heads; ++h)
            for (size_t i = 0; i < d_head / 2; ++i) {
              const double angle =
                  double(first + r % seq_len) * (0.3 + double(i)) * (inverse ? -1 : 1);
              const size_t low = r * stride + h * (d_head + 1) + i, high = low + d_head / 2;
              want[low] = static_cast<real>(x[low] * std::cos(angle) - x[high] * std::sin(angle));
              want[high] = static_cast<real>(x[high] * std::cos(angle) + x[low] * std::sin(angle));
            }
        for (size_t i = 0; i < x.size(); ++i) REQUIRE(near(y[i], want[i]));
      }
  });
}
