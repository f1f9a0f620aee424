#pragma once
// How fast attention is at several lengths, against this machine's sgemm.
#include <cstddef>
#include <vector>

namespace bitlab {

struct AttentionBenchOptions {
  std::vector<std::size_t> lengths = {256, 512, 1024, 2048, 4096};
  std::size_t n_head = 8, d_head = 64;
  std::size_t n_kv_head = 0;  // 0: n_head
  int repeats = 5;
};

struct AttentionBench {
  std::size_t seq_len = 0;
  double forward_ms = 0, backward_ms = 0;  // medians, one sequence, all heads, causal
  // 7 T^2 D a head: two products forward and five backward, the half above the diagonal not done.
  double gflops = 0;
  double sgemm_gflops = 0;        // one core, 1024 cubed, best of before and after
  double share = 0;               // gflops / sgemm_gflops
  std::size_t scratch_bytes = 0;  // beyond inputs, outputs and their gradients
};

std::vector<AttentionBench> bench_attention(const AttentionBenchOptions& options);

}  // namespace bitlab
