#pragma once
// What the tests of kernels share: every table, and noise to feed them. Tests only.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "core/base/catch.h"
#include "core/base/rng.h"
#include "core/simd/kernels.h"

namespace bitlab::simd {

using Reals = std::vector<real>;
using Doubles = std::vector<double>;

constexpr real kNaN = std::numeric_limits<real>::quiet_NaN();
constexpr real kInf = std::numeric_limits<real>::infinity();
constexpr real kGuard = 4321;
inline const std::vector<size_t> kWidths = {1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 64, 100, 257, 1000};

inline Reals noise(size_t n, const char* purpose, double std = 1, double shift = 0) {
  Reals x(n);
  Rng(7, purpose).fill_normal(std, x.data(), n);
  for (real& v : x) v += static_cast<real>(shift);
  return x;
}

inline Reals guarded(size_t n) {  // one value more, to see writes past the end
  Reals x(n + 1, kGuard);
  return x;
}

// Greatest difference relative to the greatest expected magnitude, or to `size` if that is greater
// (for sums whose terms cancel); NaN counts as infinite.
inline double distance(const Reals& got, const Doubles& want, double size = 1e-30) {
  double worst = 0;
  for (const double w : want) size = std::max(size, std::fabs(w));
  for (size_t i = 0; i < want.size(); ++i) {
    const double d = std::fabs(static_cast<double>(got[i]) - want[i]);
    worst = d <= worst ? worst : (std::isnan(d) ? INFINITY : d);
  }
  return worst / size;
}

inline void for_each_table(const std::function<void(const Kernels&)>& test) {
  for (const std::string& name : available_kernels()) {
    CAPTURE(name);
    test(kernels_named(name));
  }
}

}  // namespace bitlab::simd
