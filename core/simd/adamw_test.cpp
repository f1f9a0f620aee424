// AdamW's step of every table against the update written out in double precision.
#include <cmath>
#include <string>

#include "core/simd/kernel_test.h"

using bitlab::real;
using namespace bitlab::simd;

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
