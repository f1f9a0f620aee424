// The matrix product of every table against a plain double-precision loop.
#include <cmath>
#include <limits>
#include <vector>

#include "core/base/catch.h"
#include "core/simd/kernels.h"

using bitlab::real;
using namespace bitlab::simd;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// Values in [-1, 1] from a small generator of its own.
std::vector<real> noise(size_t n, std::uint64_t seed) {
  std::vector<real> x(n);
  for (real& value : x) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    value = static_cast<real>(static_cast<double>(seed >> 40) / (1 << 23) - 1);
  }
  return x;
}

struct Problem {
  GemmArgs args;
  std::vector<real> a, b, c;

  Problem(bool trans_a, bool trans_b, size_t m, size_t n, size_t k, real beta, size_t extra = 0) {
    args.trans_a = trans_a;
    args.trans_b = trans_b;
    args.m = m;
    args.n = n;
    args.k = k;
    args.beta = beta;
    args.lda = (trans_a ? m : k) + extra;
    args.ldb = (trans_b ? k : n) + extra;
    args.ldc = n + extra;
    a = noise((trans_a ? k : m) * args.lda, 1);
    b = noise((trans_b ? n : k) * args.ldb, 2);
    c = noise(m * args.ldc, 3);
    args.a = a.data();
    args.b = b.data();
    args.c = c.data();
  }

  double reference(size_t i, size_t j, const std::vector<real>& old_c) const {
    double sum = args.beta == 0 ? 0 : old_c[i * args.ldc + j];
    for (size_t p = 0; p < args.k; ++p)
      sum += static_cast<double>(args.trans_a ? a[p * args.lda + i] : a[i * args.lda + p]) *
             (args.trans_b ? b[j * args.ldb + p] : b[p * args.ldb + j]);
    return sum;
  }

  // The number of wrong values, those between the rows of C included.
  size_t errors(const Kernels& kernels) {
    const std::vector<real> old_c = c;
    kernels.gemm(args);
    const double tolerance = 1e-7 * (4 + static_cast<double>(args.k));
    size_t wrong = 0;
    for (size_t i = 0; i < args.m; ++i)
      for (size_t j = 0; j < args.ldc; ++j) {
        const double value = c[i * args.ldc + j];
        if (j < args.n) {
          wrong += !(std::abs(value - reference(i, j, old_c)) <= tolerance);
        } else {
          wrong += value != old_c[i * args.ldc + j];
        }
      }
    return wrong;
  }
};

}  // namespace

TEST_CASE("gemm equals a double-precision loop at all edges of its tiles", "[simd][gemm]") {
  for (const std::string& name : available_kernels()) {
    const Kernels& kernels = kernels_named(name);
    for (int transposes = 0; transposes < 4; ++transposes)
      for (size_t m : {1, 2, 5, 6, 7, 13, 14, 15, 28, 29, 43})
        for (size_t n : {1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 65, 70})
          for (size_t k : {1, 2, 3, 8, 15, 16, 17, 33, 64}) {
            const real beta = static_cast<real>((m + n + k) % 2);
            Problem problem(transposes & 1, transposes & 2, m, n, k, beta, (m + k) % 3);
            CAPTURE(name, transposes, m, n, k, beta);
            REQUIRE(problem.errors(kernels) == 0);
          }
  }
}

TEST_CASE("gemm equals a double-precision loop over several blocks of every dimension",
          "[simd][gemm]") {
  for (const std::string& name : available_kernels())
    for (int transposes = 0; transposes < 4; ++transposes)
      for (real beta : {real(0), real(1)}) {
        CAPTURE(name, transposes, beta);
        Problem tall(transposes & 1, transposes & 2, 531, 67, 77, beta, 5);
        CHECK(tall.errors(kernels_named(name)) == 0);
        Problem wide(transposes & 1, transposes & 2, 31, 2100, 40, beta);
        CHECK(wide.errors(kernels_named(name)) == 0);
        Problem deep(transposes & 1, transposes & 2, 37, 45, 1543, beta, 1);
        CHECK(deep.errors(kernels_named(name)) == 0);
        Problem round(transposes & 1, transposes & 2, 256, 256, 512, beta);
        CHECK(round.errors(kernels_named(name)) == 0);
      }
}

TEST_CASE("gemm with beta 0 never reads the old C, and NaN in A or B stays visible",
          "[simd][gemm]") {
  for (const std::string& name : available_kernels())
    for (int transposes = 0; transposes < 4; ++transposes) {
      CAPTURE(name, transposes);
      Problem problem(transposes & 1, transposes & 2, 17, 35, 300, 0);
      problem.c.assign(problem.c.size(), kNaN);
      CHECK(problem.errors(kernels_named(name)) == 0);

      problem.a[transposes & 1 ? 3 : 3 * problem.args.lda] = kNaN;  // A(3, 0)
      kernels_named(name).gemm(problem.args);
      for (size_t i = 0; i < 17; ++i)
        for (size_t j = 0; j < 35; ++j) REQUIRE(std::isnan(problem.c[i * 35 + j]) == (i == 3));
    }
}

TEST_CASE("gemm with an empty dimension writes what the formula says", "[simd][gemm]") {
  for (const std::string& name : available_kernels()) {
    Problem none(false, true, 0, 5, 5, 0), zero(false, true, 3, 5, 0, 0),
        keep(false, true, 3, 5, 0, 1);
    CHECK(none.errors(kernels_named(name)) == 0);
    CHECK(zero.errors(kernels_named(name)) == 0);
    CHECK(keep.errors(kernels_named(name)) == 0);
  }
}

TEST_CASE("a row of gemm has the same bits in every batch, and on every call", "[simd][gemm]") {
  for (const std::string& name : available_kernels())
    for (bool trans_b : {false, true}) {
      Problem whole(false, trans_b, 57, 83, 700, 0);
      kernels_named(name).gemm(whole.args);
      const std::vector<real> all = whole.c;
      for (size_t rows : {1, 2, 3, 4, 5, 14, 30, 57}) {
        whole.c.assign(whole.c.size(), 0);
        whole.args.m = rows;
        kernels_named(name).gemm(whole.args);
        CAPTURE(name, trans_b, rows);
        CHECK(std::equal(whole.c.begin(), whole.c.begin() + rows * 83, all.begin()));
      }
    }
}
