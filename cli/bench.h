#pragma once
// The parts of 'bitlab bench', one file each.
#include <string>
#include <vector>

#include "experiments/bench_attention.h"
#include "experiments/bench_decode.h"
#include "experiments/bench_train.h"

namespace bitlab {

struct BenchRequest {
  std::vector<std::string> words;  // after the kind: what to time, and settings
  std::vector<std::string> only;   // these arms; none: all
  TrainBenchOptions train;
  DecodeBenchOptions decode;
  AttentionBenchOptions attention;
  bool json = false;
};

int bench_train_command(const BenchRequest& request);
int bench_decode_command(const BenchRequest& request);
int bench_attention_command(const BenchRequest& request);
int bench_load_command(const BenchRequest& request);

// Where `seconds` of the arm went, kernel by kernel, for one of `count` steps or tokens each.
void print_profile(const std::string& arm,
                   const char* unit,
                   const std::vector<simd::KernelTime>& kernels,
                   double seconds,
                   std::int64_t count);

}  // namespace bitlab
