#pragma once
// How long kernel calls take on this machine, measured by making them.
#include "core/simd/call_log.h"

namespace bitlab::simd {

// Seconds of one such call by kernels(), on one thread, in the median of a few. The thread's own
// time counts, so that other programs disturb it little. Each call takes its arguments from other
// memory than the one before, so that they come from beyond the core's own cache, as most do in a
// training step. A call of more than about a million values or 2 GFLOP is timed at a smaller size
// of the same kind, and scaled by its work: memory stays below 100 MB, and the time below a tenth
// of a second.
double call_seconds(const KernelCall& call);

// FLOPs of one such call of gemm or ternary_gemm, 2 a multiply-add; 0 of others.
double call_flops(const KernelCall& call);

}  // namespace bitlab::simd
