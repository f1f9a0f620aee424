// Quantisers against golden vectors worked out by hand from the formulas of the b1.58 FAQ
// (arXiv 2402.17764).
#include "core/quant/weight_quantizer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/simd/kernels.h"

using namespace bitlab;

namespace {

using Codes = std::vector<std::int8_t>;

constexpr real kNaN = std::numeric_limits<real>::quiet_NaN();
constexpr real kInf = std::numeric_limits<real>::infinity();

struct Quantised {
  Codes codes;
  real scale;
};

Quantised quantise(const std::string& name, std::vector<real> w, double eps = 1e-5) {
  Quantised q{Codes(w.size(), 9), 0};
  q.scale = weight_quantizers().at(name).quantize({w.data(), 1, w.size()}, eps, q.codes.data());
  return q;
}

std::vector<real> gaussian(size_t n, double std, std::uint64_t seed = 1) {
  std::vector<real> w(n);
  Rng(seed, "w").fill_normal(std, w.data(), n);
  return w;
}

double zero_share(const Codes& codes) {
  return static_cast<double>(std::count(codes.begin(), codes.end(), 0)) /
         static_cast<double>(codes.size());
}

std::vector<real> effective(const Quantised& q) {
  std::vector<real> w;
  for (const std::int8_t code : q.codes) w.push_back(q.scale * static_cast<real>(code));
  return w;
}

}  // namespace

TEST_CASE("absmean rounds w / mean|w| half to even and clamps", "[quant]") {
  // |w| sums to 8: a = 1, and the values are what is rounded.
  const Quantised q =
      quantise("absmean", {0.5F, -0.5F, 0.50000006F, -0.50000006F, 0.49999997F, 1.5F, -2.5F, 1.5F});
  CHECK(q.scale == 1);
  CHECK(q.codes == Codes{0, 0, 1, -1, 0, 1, -1, 1});
  // a = 0.25: the same at another scale; powers of two keep the ties exact.
  const Quantised small = quantise("absmean", {0.125F, -0.125F, 0.25F, -0.25F, 0.5F, 0});
  CHECK(small.scale == Approx(1.25 / 6));
  CHECK(small.codes == Codes{1, -1, 1, -1, 1, 0});
  const Quantised tie = quantise("absmean", {0.125F, -0.125F, 0.375F, 0.375F});
  CHECK(tie.scale == 0.25F);
  CHECK(tie.codes == Codes{0, 0, 1, 1});
}

TEST_CASE("eps is the smallest scale", "[quant]") {
  for (const char* name : {"absmean", "absmedian", "twn", "binary"}) {
    CAPTURE(name);
    const Quantised zero = quantise(name, {0, 0, 0, -0.0F});
    CHECK(zero.scale == static_cast<real>(1e-5));
    CHECK(zero.codes == Codes{0, 0, 0, 0});
    CHECK(quantise(name, {0, 0}, 1e-8).scale == static_cast<real>(1e-8));
  }
  const std::vector<real> tiny = {1e-6F, -1e-6F, 6e-6F, -8e-6F};  // mean 4e-6 < 1e-5
  CHECK(quantise("absmean", tiny).scale == static_cast<real>(1e-5));
  CHECK(quantise("absmean", tiny).codes == Codes{0, 0, 1, -1});
  CHECK(quantise("absmean", tiny, 1e-8).scale == Approx(4e-6));
  CHECK(quantise("absmean", tiny, 1e-8).codes == Codes{0, 0, 1, -1});
}

TEST_CASE("a NaN or infinite weight makes the scale useless, visibly", "[quant]") {
  for (const char* name : {"absmean", "absmedian", "twn", "binary"})
    for (const real bad : {kNaN, kInf, -kInf})
      for (size_t at : {0, 3, 6}) {
        CAPTURE(name, bad, at);
        std::vector<real> w = {0.1F, -0.2F, 0.3F, -0.4F, 0.5F, 0.6F, -0.7F};
        w[at] = bad;
        const Quantised q = quantise(name, w);
        CHECK_FALSE(std::isfinite(q.scale));
        for (const std::int8_t code : q.codes) CHECK((code >= -1 && code <= 1));
      }
}

TEST_CASE("absmedian takes the lower median, as torch does", "[quant]") {
  const Quantised odd = quantise("absmedian", {0.1F, -4, 1});
  CHECK(odd.scale == 1);
  CHECK(odd.codes == Codes{0, -1, 1});
  const Quantised even = quantise("absmedian", {3, -0.5F, 1, 2});
  CHECK(even.scale == 1);
  CHECK(even.codes == Codes{1, 0, 1, 1});
}

TEST_CASE("twn cuts at 0.7 mean|w| and takes the mean of what is left", "[quant]") {
  const Quantised q = quantise("twn", {1, -0.5F, 0.75F, -2, 0.25F, 1.5F});  // mean 1
  CHECK(q.codes == Codes{1, 0, 1, -1, 0, 1});
  CHECK(q.scale == Approx(5.25 / 4));
  CHECK(quantise("twn", {3, 3, -3}).codes == Codes{1, 1, -1});
  CHECK(quantise("twn", {3, 3, -3}).scale == 3);
}

TEST_CASE("twn is nearer to Gaussian weights than absmean, and about as near as can be",
          "[quant]") {
  const std::vector<real> w = gaussian(100003, 0.02);
  const auto distance = [&](const Quantised& q) {
    double squares = 0;
    for (size_t i = 0; i < w.size(); ++i) {
      const double d = double(w[i]) - double(q.scale) * q.codes[i];
      squares += d * d;
    }
    return squares;
  };
  double best = 1e300;  // over thresholds, each with the scale that suits it best
  for (double cut = 0.1; cut < 2; cut += 0.01) {
    Quantised q{Codes(w.size()), 0};
    double sum = 0, count = 0;
    for (size_t i = 0; i < w.size(); ++i) {
      const double size = std::fabs(double(w[i]));
      if (size <= cut * 0.02) continue;
      q.codes[i] = w[i] > 0 ? 1 : -1;
      sum += size;
      ++count;
    }
    q.scale = static_cast<real>(sum / count);
    best = std::min(best, distance(q));
  }
  const double own = distance(quantise("twn", w));
  CHECK(own >= best * 0.9999);
  CHECK(own < 1.01 * best);
  CHECK(own < 0.9 * distance(quantise("absmean", w)));
}

TEST_CASE("binary is the sign around the mean, and zero at the mean", "[quant]") {
  const Quantised q = quantise("binary", {1, 2, 3, 2, -1, 5});  // mean 2, mean |w| 14 / 6
  CHECK(q.codes == Codes{-1, 0, 1, 0, -1, 1});
  CHECK(q.scale == Approx(14.0 / 6));
  CHECK(quantise("binary", {7, 7, 7}).codes == Codes{0, 0, 0});
}

TEST_CASE("the zero share of a fresh Gaussian layer is 0.310", "[quant]") {
  const size_t n = 200000;
  for (const double std : {0.02, 1.0, 30.0}) {
    const std::vector<real> w = gaussian(n, std);
    // P(|z| < 0.5 sqrt(2 / pi)) with mean |w| = std sqrt(2 / pi); 5 binomial standard deviations.
    const double expected = std::erf(0.5 * std::sqrt(2 / M_PI) / std::sqrt(2.0));
    CHECK(expected == Approx(0.310).margin(0.0005));
    const Quantised q = quantise("absmean", w);
    CHECK(std::fabs(zero_share(q.codes) - expected) < 5 * std::sqrt(expected * (1 - expected) / n));
    CHECK(q.scale == Approx(std * std::sqrt(2 / M_PI)).epsilon(0.01));
    const auto plus = std::count(q.codes.begin(), q.codes.end(), 1);
    CHECK(static_cast<double>(plus) / n == Approx((1 - expected) / 2).margin(0.006));
  }
  // The median of |z| is 0.67449.
  const double expected = std::erf(0.5 * 0.6744897501960817 / std::sqrt(2.0));
  CHECK(zero_share(quantise("absmedian", gaussian(n, 1)).codes) == Approx(expected).margin(0.006));
}

TEST_CASE("effective weights take three values, and quantising them again gives the same codes",
          "[quant]") {
  for (const char* name : {"absmean", "absmedian", "twn", "binary"})
    for (const size_t n : {1, 2, 7, 64, 4097, 50000})
      for (const double std : {1e-3, 0.02, 5.0}) {
        CAPTURE(name, n, std);
        const Quantised q = quantise(name, gaussian(n, std, n));
        if (name == std::string("binary") && n < 7)
          continue;  // one sign only: the mean is the value
        CHECK(quantise(name, effective(q)).codes == q.codes);
      }
}

TEST_CASE("codes of a long matrix equal a plain double loop away from the threshold", "[quant]") {
  const std::vector<real> w = gaussian(100003, 0.02);
  double mean = 0;
  for (const real v : w) mean += std::fabs(static_cast<double>(v));
  mean /= static_cast<double>(w.size());
  const Quantised q = quantise("absmean", w);
  CHECK(q.scale == Approx(mean).epsilon(1e-6));
  size_t wrong = 0;
  for (size_t i = 0; i < w.size(); ++i) {
    const double ratio = static_cast<double>(w[i]) / mean;
    if (std::fabs(std::fabs(ratio) - 0.5) < 1e-5) continue;
    wrong += q.codes[i] != std::clamp(std::nearbyint(ratio), -1.0, 1.0);
  }
  CHECK(wrong == 0);
}

TEST_CASE("an unknown quantiser is refused with the names there are", "[quant]") {
  CHECK_THROWS_AS(weight_quantizers().at("absmax"), UsageError);
  CHECK(weight_quantizers().names() ==
        std::vector<std::string>{"absmean", "absmedian", "binary", "twn"});
}

TEST_CASE("int8 activations follow the FAQ: largest to 127, never -128, zero tokens stay zero",
          "[quant][int8]") {
  for (const std::string& table : simd::available_kernels()) {
    CAPTURE(table);
    const size_t cols = 70, stride = 128, rows = 5;
    std::vector<real> x(rows * cols);
    Rng(5, "x").fill_normal(3, x.data(), x.size());
    std::fill_n(x.begin() + 2 * cols, cols, real(0));                 // a zero token
    for (size_t c = 0; c < cols; ++c) x[3 * cols + c] *= real(1e-9);  // far below eps
    for (size_t c = 0; c < cols; ++c)
      x[4 * cols + c] = c % 2 ? real(-3) : real(3);  // all at the limit
    std::vector<std::int8_t> codes(rows * stride, 55);
    std::vector<real> step(rows);
    std::vector<std::int32_t> sum(rows);
    const auto& kernels = simd::kernels_named(table);
    kernels.quantize_rows(rows, cols, x.data(), real(1e-5), codes.data(), stride, step.data(),
                          sum.data());
    for (size_t r = 0; r < rows; ++r) {
      double top = 1e-5;
      for (size_t c = 0; c < cols; ++c)
        top = std::max(top, std::fabs(static_cast<double>(x[r * cols + c])));
      CHECK(step[r] == Approx(top / 127).epsilon(1e-6));
      int largest = 0, total = 0;
      for (size_t c = 0; c < cols; ++c) {
        const int code = codes[r * stride + c];
        const double exact = static_cast<double>(x[r * cols + c]) * 127 / top;
        CHECK(std::fabs(code - exact) < 0.5 + 1e-4);
        largest = std::max(largest, std::abs(code));
        total += code;
      }
      CHECK(largest == (r == 2 || r == 3 ? 0 : 127));
      CHECK(sum[r] == total);
    }
    // Quantising what the codes stand for gives the same codes.
    std::vector<real> back(rows * cols);
    kernels.dequantize_rows(rows, cols, codes.data(), stride, step.data(), back.data());
    std::vector<std::int8_t> again(rows * stride);
    kernels.quantize_rows(rows, cols, back.data(), real(1e-5), again.data(), stride, step.data(),
                          sum.data());
    CHECK(again == codes);
  }
}

TEST_CASE("the code -128 never comes out of absmax scaling", "[quant][int8]") {
  for (const std::string& table : simd::available_kernels()) {
    const Rng rng(9, "absmax");
    for (std::uint64_t i = 0; i < 20000; ++i) {
      // A lone negative largest value of any magnitude: -x 127 / x must round to -127.
      real x[3] = {static_cast<real>(-std::exp(60 * (rng.uniform(0, i) - 0.5))), 0, 0};
      x[1] = x[0] * static_cast<real>(rng.uniform(1, i));
      std::int8_t codes[64];
      real step;
      std::int32_t sum;
      simd::kernels_named(table).quantize_rows(1, 3, x, real(1e-5), codes, 64, &step, &sum);
      if (x[0] < real(-1e-5)) REQUIRE(codes[0] == -127);
    }
  }
}
