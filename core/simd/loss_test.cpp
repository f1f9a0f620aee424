// Cross-entropy of every table against its definition in double precision.
#include <algorithm>
#include <cmath>
#include <vector>

#include "core/simd/kernel_test.h"

using bitlab::real;
using namespace bitlab::simd;

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
