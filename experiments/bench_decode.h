#pragma once
// How fast a model decodes, one token at a time, against the speed at which this machine reads
// memory.
#include <cstdint>
#include <string>
#include <vector>

#include "core/simd/profile.h"
#include "experiments/plan.h"

namespace bitlab {

struct DecodeBenchOptions {
  std::int64_t tokens = 32;   // timed, one by one
  std::int64_t context = 64;  // tokens before them, in one pass
  bool profile = false;
};

struct DecodeBench {
  std::string arm;
  double prefill_tokens_per_s = 0;
  double ms_per_token = 0;  // median
  double tokens_per_s = 0;
  // Weights that a token multiplies: 4 bytes each, ternary ones a quarter. Norms, the row of an
  // embedding and the cache are not counted.
  double weight_bytes = 0;
  double cache_bytes_per_token = 0;       // that each position takes in the KV cache
  double gb_per_s = 0;                    // weight_bytes x tokens_per_s
  double read_gb_per_s = 0;               // of memory on one core, median of before and after
  double share = 0;                       // gb_per_s / read_gb_per_s
  std::vector<simd::KernelTime> kernels;  // of another run over as many tokens, with `profile`
  double profiled_seconds = 0;
};

// Speeds at which one core reads 256 MiB, in GB/s: those of passes that take `seconds` together.
std::vector<double> measure_read_bandwidth(double seconds);

// With fresh weights; greedy. vocab_size is the tokenizer's.
DecodeBench bench_decode(const Arm& arm, std::size_t vocab_size, const DecodeBenchOptions& options);

}  // namespace bitlab
