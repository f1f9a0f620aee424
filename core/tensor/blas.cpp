#include "core/tensor/blas.h"

#include <cblas.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace bitlab {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace

void blas_sgemm_nt(
    std::size_t m, std::size_t n, std::size_t k, const float* a, const float* b, float* c) {
  openblas_set_num_threads(1);
  const auto M = static_cast<blasint>(m), N = static_cast<blasint>(n), K = static_cast<blasint>(k);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, M, N, K, 1, a, K, b, K, 0, c, N);
}

std::string blas_description() { return openblas_get_config(); }

double measure_sgemm_gflops(std::size_t size, double seconds) {
  std::vector<float> a(size * size, 0.5F), b(size * size, 0.25F), c(size * size);
  blas_sgemm_nt(size, size, size, a.data(), b.data(), c.data());  // warm
  const double flops = 2.0 * static_cast<double>(size * size * size);
  double best = 0;
  for (const auto begin = Clock::now(); seconds_since(begin) < seconds;) {
    const auto start = Clock::now();
    blas_sgemm_nt(size, size, size, a.data(), b.data(), c.data());
    best = std::max(best, flops / seconds_since(start) / 1e9);
  }
  return best;
}

}  // namespace bitlab
