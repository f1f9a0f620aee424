#pragma once
// The one gateway to BLAS: the yardstick that bitlab's own products are measured against.
#include <cstddef>
#include <string>

namespace bitlab {

// C (m x n) = A (m x k) B^T, B: n x k, by OpenBLAS on one thread.
void blas_sgemm_nt(
    std::size_t m, std::size_t n, std::size_t k, const float* a, const float* b, float* c);

// "OpenBLAS 0.3.21 ... SkylakeX": version, build and the core it picked.
std::string blas_description();

// Speed of blas_sgemm_nt on size^3, in GFLOP/s: the best of runs that take about `seconds`
// together.
double measure_sgemm_gflops(std::size_t size, double seconds);

}  // namespace bitlab
