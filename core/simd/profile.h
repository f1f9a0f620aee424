#pragma once
// Where the time of the kernels goes: a table that times every call of another one. Costs nothing
// unless installed.
#include <cstdint>
#include <string>
#include <vector>

#include "core/simd/kernels.h"

namespace bitlab::simd {

struct KernelTime {
  std::string name;  // "gemm nt", "attention_forward"; gemm is split by its transpositions
  std::uint64_t calls = 0;
  double seconds = 0;
  double flops = 0;  // matrix products and ternary products only, else 0
};

// A copy of `table` whose functions are timed; it may be used by one thread at a time.
const Kernels& profiled(const Kernels& table);

// What was timed since the last reset, longest first.
std::vector<KernelTime> kernel_times();
void reset_kernel_times();

}  // namespace bitlab::simd
