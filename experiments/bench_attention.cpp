#include "experiments/bench_attention.h"

#include <string>

#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/ops/attention.h"
#include "core/tensor/blas.h"
#include "experiments/bench_timing.h"
#include "layers/attention.h"

namespace bitlab {

namespace {

constexpr std::size_t kSgemmSize = 1024;
constexpr double kSgemmSeconds = 0.2;

AttentionBench bench_length(std::size_t T, const AttentionBenchOptions& o) {
  const std::size_t H = o.n_head, K = o.n_kv_head ? o.n_kv_head : H, D = o.d_head,
                    width = (H + 2 * K) * D;
  std::vector<real> qkv(T * width), dqkv(qkv.size()), y(T * H * D), dy(y.size()), lse(T * H);
  Rng(1, "qkv").fill_normal(1, qkv.data(), qkv.size());
  Rng(1, "dy").fill_normal(1, dy.data(), dy.size());
  Pass pass;
  pass.batch = 1;
  pass.seq_len = T;
  simd::AttentionArgs args = attention_arguments({H, K, D, 0.125, true, 0}, pass, "");
  const View in{qkv.data(), T, width}, out{dqkv.data(), T, width};
  args.q = heads_in<const real>(in, pass, 0, D);
  args.k = heads_in<const real>(in, pass, H * D, D);
  args.v = heads_in<const real>(in, pass, (H + K) * D, D);
  args.dq = heads_in<real>(out, pass, 0, D);
  args.dk = heads_in<real>(out, pass, H * D, D);
  args.dv = heads_in<real>(out, pass, (H + K) * D, D);
  args.y = y.data();
  args.lse = lse.data();
  args.dy = dy.data();

  AttentionBench result;
  result.seq_len = T;
  result.scratch_bytes = simd::kernels().attention_scratch(args) * sizeof(real);
  attention_forward(args);
  attention_backward(args);
  std::vector<double> forward, backward, both;
  for (int i = 0; i < o.repeats; ++i) {
    auto begin = Clock::now();
    attention_forward(args);
    forward.push_back(seconds_since(begin));
    begin = Clock::now();
    attention_backward(args);
    backward.push_back(seconds_since(begin));
    both.push_back(forward.back() + backward.back());
  }
  result.forward_ms = 1e3 * median(forward);
  result.backward_ms = 1e3 * median(backward);
  result.gflops = 7e-9 * static_cast<double>(T * T) * static_cast<double>(H * D) / median(both);
  return result;
}

}  // namespace

std::vector<AttentionBench> bench_attention(const AttentionBenchOptions& options) {
  if (options.n_kv_head > 0 && options.n_head % options.n_kv_head != 0)
    throw UsageError("bench", "--kv-heads must divide --heads = " + std::to_string(options.n_head) +
                                  ", but is " + std::to_string(options.n_kv_head));
  std::vector<AttentionBench> results;
  for (const std::size_t T : options.lengths) {
    const double before = measure_sgemm_gflops(kSgemmSize, kSgemmSeconds);
    results.push_back(bench_length(T, options));
    AttentionBench& r = results.back();
    r.sgemm_gflops = std::max(before, measure_sgemm_gflops(kSgemmSize, kSgemmSeconds));
    r.share = r.gflops / r.sgemm_gflops;
  }
  return results;
}

}  // namespace bitlab
