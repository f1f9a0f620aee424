// Quantisation of activations and the int8 x ternary product of every table against plain loops.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/base/catch.h"
#include "core/simd/kernels.h"

using bitlab::real;
using namespace bitlab::simd;

namespace {

constexpr real kNaN = std::numeric_limits<real>::quiet_NaN();
constexpr real kInf = std::numeric_limits<real>::infinity();

size_t padded(size_t cols) { return (cols + 63) / 64 * 64; }

struct Random {
  std::uint64_t state;
  std::uint32_t next() {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>(state >> 33);
  }
  std::int8_t code(int lowest, int highest) {
    return static_cast<std::int8_t>(lowest + static_cast<int>(next() % (highest - lowest + 1)));
  }
  real value() { return static_cast<real>(static_cast<double>(next()) / (1u << 30) - 1); }
};

struct Quantized {
  std::vector<std::int8_t> codes;
  std::vector<real> step;
  std::vector<std::int32_t> sum;

  Quantized(const Kernels& kernels, size_t rows, size_t cols, const std::vector<real>& x, real eps)
      : codes(rows * padded(cols), 99), step(rows, 99), sum(rows, 99) {
    kernels.quantize_rows(rows, cols, x.data(), eps, codes.data(), padded(cols), step.data(),
                          sum.data());
  }
};

// m x k codes times n x k ternary codes; `extreme` makes every product as large as it can be.
struct Product {
  size_t m, n, k;
  std::vector<std::int8_t> x, w;
  std::vector<real> step, scale, bias;

  Product(size_t m, size_t n, size_t k, bool extreme = false)
      : m(m), n(n), k(k), x(m * padded(k)), w(n * k), step(m), scale(n), bias(n) {
    Random random{m * 1000003 + n * 1009 + k};
    for (size_t r = 0; r < m; ++r)
      for (size_t p = 0; p < k; ++p)
        x[r * padded(k) + p] = extreme ? (r % 2 ? -128 : 127) : random.code(-128, 127);
    for (std::int8_t& code : w) code = extreme ? 1 : random.code(-1, 1);
    for (real& s : step) s = std::abs(random.value()) + real(0.01);
    for (real& s : scale) s = std::abs(random.value()) + real(0.01);
    for (real& b : bias) b = random.value();
  }

  std::vector<real> run(const Kernels& kernels, bool with_bias) const {
    std::vector<std::uint8_t> packed(kernels.ternary_packed_size(n, k), 77);
    kernels.ternary_pack(n, k, w.data(), packed.data());
    std::vector<std::int32_t> sum(m);
    for (size_t r = 0; r < m; ++r)
      for (size_t p = 0; p < k; ++p) sum[r] += x[r * padded(k) + p];
    std::vector<real> y(m * n + 1, 1234);
    kernels.ternary_gemm({.m = m,
                          .n = n,
                          .k = k,
                          .x = x.data(),
                          .x_stride = padded(k),
                          .x_step = step.data(),
                          .x_sum = sum.data(),
                          .w = packed.data(),
                          .w_scale = scale.data(),
                          .bias = with_bias ? bias.data() : nullptr,
                          .y = y.data()});
    REQUIRE(y.back() == 1234);
    return y;
  }

  std::int64_t exact(size_t r, size_t j) const {
    std::int64_t sum = 0;
    for (size_t p = 0; p < k; ++p) sum += x[r * padded(k) + p] * w[j * k + p];
    return sum;
  }

  size_t errors(const Kernels& kernels) const {
    size_t wrong = 0;
    const std::vector<real> y = run(kernels, false), shifted = run(kernels, true);
    for (size_t r = 0; r < m; ++r)
      for (size_t j = 0; j < n; ++j) {
        const real expected = static_cast<real>(exact(r, j)) * (step[r] * scale[j]);
        wrong += y[r * n + j] != expected;  // the same bits
        wrong +=
            std::abs(shifted[r * n + j] - (expected + bias[j])) > 1e-6 * std::abs(expected) + 1e-6;
      }
    return wrong;
  }
};

}  // namespace

TEST_CASE("quantize_rows rounds half to even, scales by the largest magnitude and sums its codes",
          "[simd][int8]") {
  for (const std::string& name : available_kernels()) {
    CAPTURE(name);
    // s = 127 / 127 = 1: the codes are the rounded values.
    const std::vector<real> x = {127,  0.5,   1.5,    2.5,         -0.5, -1.5,
                                 -2.5, 126.5, -126.5, 0.49999997f, -3.2f};
    const Quantized q(kernels_named(name), 1, x.size(), x, real(1e-5));
    const std::vector<int> expected = {127, 0, 2, 2, 0, -2, -2, 126, -126, 0, -3};
    CHECK(std::vector<int>(q.codes.begin(), q.codes.begin() + x.size()) == expected);
    CHECK(
        std::all_of(q.codes.begin() + x.size(), q.codes.end(), [](int code) { return code == 0; }));
    CHECK(q.step[0] == 1);
    CHECK(q.sum[0] == 124);
  }
}

TEST_CASE("quantize_rows equals a plain loop at every width", "[simd][int8]") {
  for (const std::string& name : available_kernels())
    for (size_t cols = 1; cols <= 200; ++cols) {
      Random random{cols};
      std::vector<real> x(3 * cols);
      for (real& value : x) value = random.value() * 10;
      const Quantized q(kernels_named(name), 3, cols, x, real(1e-5));
      size_t wrong = 0;
      for (size_t r = 0; r < 3; ++r) {
        real top = real(1e-5);
        for (size_t c = 0; c < cols; ++c) top = std::max(top, std::abs(x[r * cols + c]));
        const real s = real(127) / top;
        int sum = 0;
        for (size_t c = 0; c < cols; ++c) {
          const real scaled =
              x[r * cols + c] * s;  // rounded once before it is rounded to an integer
          const int code = static_cast<int>(std::nearbyint(scaled));
          wrong += q.codes[r * padded(cols) + c] != code;
          sum += code;
        }
        wrong += q.sum[r] != sum || q.step[r] != real(1) / s;
      }
      CAPTURE(name, cols);
      REQUIRE(wrong == 0);
    }
}

TEST_CASE("quantize_rows keeps a row of zeros zero and shows inf and NaN as a NaN step",
          "[simd][int8]") {
  for (const std::string& name : available_kernels())
    for (real bad : {kNaN, -kNaN, kInf, -kInf})
      for (size_t at : {0, 1, 16, 40, 69}) {
        std::vector<real> x(3 * 70, 2);
        std::fill(x.begin(), x.begin() + 70, real(0));
        x[70 + at] = bad;
        const Quantized q(kernels_named(name), 3, 70, x, real(1e-5));
        CAPTURE(name, bad, at);
        CHECK(q.step[0] == Approx(1e-5 / 127));
        CHECK(std::isnan(q.step[1]));
        CHECK(q.step[2] == Approx(2.0 / 127));
        CHECK(std::all_of(q.codes.begin(), q.codes.begin() + 256,
                          [](int code) { return code == 0; }));
        CHECK(q.codes[256] == 127);
        CHECK(q.sum == std::vector<std::int32_t>{0, 0, 70 * 127});
      }
}

TEST_CASE("quantize_rows has no overflow at the ends of the range", "[simd][int8]") {
  for (const std::string& name : available_kernels())
    for (real eps : {real(0), real(1e-5)})
      for (real top : {real(0), std::numeric_limits<real>::denorm_min(),
                       std::numeric_limits<real>::min(), std::numeric_limits<real>::max()}) {
        const std::vector<real> x = {top, -top, 0};
        const Quantized q(kernels_named(name), 1, 3, x, eps);
        CAPTURE(name, eps, top);
        CHECK(q.codes[0] == -q.codes[1]);
        CHECK(q.codes[2] == 0);
        CHECK(q.step[0] > 0);
        const double back = static_cast<double>(q.step[0]) * q.codes[0];
        CHECK(back == Approx(static_cast<double>(top)).margin(eps + 1e-37));
      }
}

TEST_CASE("dequantize_rows multiplies codes by the row's step", "[simd][int8]") {
  for (const std::string& name : available_kernels()) {
    Random random{5};
    std::vector<std::int8_t> codes(2 * 128);
    for (std::int8_t& code : codes) code = random.code(-128, 127);
    const std::vector<real> step = {real(0.37), real(1.9)};
    std::vector<real> x(2 * 77);
    kernels_named(name).dequantize_rows(2, 77, codes.data(), 128, step.data(), x.data());
    for (size_t r = 0; r < 2; ++r)
      for (size_t c = 0; c < 77; ++c) REQUIRE(x[r * 77 + c] == codes[r * 128 + c] * step[r]);
  }
}

TEST_CASE("ternary_gemm is exact at all edges of its tiles", "[simd][int8]") {
  for (const std::string& name : available_kernels())
    for (size_t m : {1, 2, 3, 4, 5, 6, 7, 13, 14, 15, 29})
      for (size_t n : {1, 7, 8, 9, 15, 16, 17, 32, 33, 49, 65})
        for (size_t k : {1, 3, 4, 5, 16, 63, 64, 65, 130, 300}) {
          CAPTURE(name, m, n, k);
          REQUIRE(Product(m, n, k).errors(kernels_named(name)) == 0);
        }
}

TEST_CASE("ternary_unpack gives back what was packed, and writes nothing else", "[simd][int8]") {
  for (const std::string& name : available_kernels()) {
    const Kernels& kernels = kernels_named(name);
    for (size_t n : {1, 7, 8, 15, 16, 17, 33, 64, 65, 130})
      for (size_t k : {1, 3, 15, 16, 17, 63, 64, 65, 200}) {
        CAPTURE(name, n, k);
        const std::vector<std::int8_t> w = Product(1, n, k).w;
        std::vector<std::uint8_t> packed(kernels.ternary_packed_size(n, k), 77);
        kernels.ternary_pack(n, k, w.data(), packed.data());
        std::vector<std::int8_t> codes(n * k + 1, 99);
        kernels.ternary_unpack(n, k, packed.data(), codes.data());
        REQUIRE(codes.back() == 99);
        codes.pop_back();
        REQUIRE(codes == w);
      }
  }
}

TEST_CASE("ternary_gemm is exact for many rows and for the largest sums", "[simd][int8]") {
  for (const std::string& name : available_kernels()) {
    CAPTURE(name);
    CHECK(Product(600, 40, 96).errors(kernels_named(name)) == 0);
    for (size_t k : {64, 252, 256, 260, 512, 1000, 20000}) {
      CAPTURE(k);
      CHECK(Product(1, 9, k, true).errors(kernels_named(name)) == 0);
      CHECK(Product(2, 17, k, true).errors(kernels_named(name)) == 0);
      CHECK(Product(16, 33, k, true).errors(kernels_named(name)) == 0);
    }
  }
}

TEST_CASE("a NaN row stays NaN through quantize_rows and ternary_gemm, and only that row",
          "[simd][int8]") {
  for (const std::string& name : available_kernels()) {
    const Kernels& kernels = kernels_named(name);
    std::vector<real> x(4 * 64, 1);
    x[2 * 64 + 5] = kNaN;
    const Quantized q(kernels, 4, 64, x, real(1e-5));
    const std::vector<std::int8_t> w(20 * 64, 1);
    std::vector<std::uint8_t> packed(kernels.ternary_packed_size(20, 64));
    kernels.ternary_pack(20, 64, w.data(), packed.data());
    const std::vector<real> scale(20, 1);
    std::vector<real> y(4 * 20);
    kernels.ternary_gemm({.m = 4,
                          .n = 20,
                          .k = 64,
                          .x = q.codes.data(),
                          .x_stride = 64,
                          .x_step = q.step.data(),
                          .x_sum = q.sum.data(),
                          .w = packed.data(),
                          .w_scale = scale.data(),
                          .bias = nullptr,
                          .y = y.data()});
    for (size_t r = 0; r < 4; ++r)
      for (size_t j = 0; j < 20; ++j) {
        if (r == 2)
          REQUIRE(std::isnan(y[r * 20 + j]));
        else
          REQUIRE(y[r * 20 + j] == Approx(64));
      }
  }
}
