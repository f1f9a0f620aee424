#include "core/ops/attention.h"

#include <vector>

#include "core/base/error.h"

namespace bitlab {

namespace {

void prepare(simd::AttentionArgs& args) {
  if (args.n_kv_head == 0 || args.n_head % args.n_kv_head != 0)
    throw Error("attention", "n_kv_head must divide n_head = " + std::to_string(args.n_head) +
                                 ", but is " + std::to_string(args.n_kv_head));
  thread_local std::vector<real> scratch;  // grows only
  const size_t needed = simd::kernels().attention_scratch(args);
  if (scratch.size() < needed + 16) scratch.resize(needed + 16);
  const auto address = reinterpret_cast<std::uintptr_t>(scratch.data());
  args.scratch = reinterpret_cast<real*>((address + 63) / 64 * 64);
}

}  // namespace

void attention_forward(simd::AttentionArgs args) {
  prepare(args);
  const bool decode = args.seq_len == 1 && args.padded && !args.lse && !(args.dropout > 0);
  (decode ? simd::kernels().attention_decode : simd::kernels().attention_forward)(args);
}

void attention_backward(simd::AttentionArgs args) {
  prepare(args);
  simd::kernels().attention_backward(args);
}

}  // namespace bitlab
