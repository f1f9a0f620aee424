#pragma once
// What benchmarks share.
#include <vector>

#include "core/base/clock.h"
#include "core/base/median.h"
#include "core/simd/profile.h"

namespace bitlab {

// Where the time of run() goes, kernel by kernel.
struct Profiled {
  double seconds = 0;  // of all of it
  std::vector<simd::KernelTime> kernels;
};

template <class Run>
Profiled profiled(const Run& run) {
  const simd::Kernels& plain = simd::kernels();
  simd::use_kernels(simd::profiled(plain));
  simd::reset_kernel_times();
  const Clock::time_point begin = Clock::now();
  run();
  Profiled result{seconds_since(begin), simd::kernel_times()};
  simd::use_kernels(plain);
  return result;
}

}  // namespace bitlab
