#pragma once
// The hot loops, compiled once per instruction set and picked at run time.
//
// core/simd/*.inc.h hold the loops. core/simd/table.cpp includes them all inside a namespace of its
// own and is compiled once per instruction set (meson.build). They see raw pointers only and
// include no library headers, so that no inline code of another instruction set leaks out. Naive
// versions live in the tests.
//
// All matrices are row-major. Results of one table are the same bits on every call; tables of
// different instruction sets differ in rounding, which is why the name of the one in use is kept in
// provenance.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor/real.h"

namespace bitlab::simd {

using std::size_t;

// C (m x n) = op(A) (m x k) * op(B) (k x n) + beta * C, beta 0 or 1. With beta 0 the old C is never
// read.
struct GemmArgs {
  bool trans_a = false, trans_b = false;  // op(X) = X^T where set
  size_t m = 0, n = 0, k = 0;
  const real* a = nullptr;
  size_t lda = 0;
  const real* b = nullptr;
  size_t ldb = 0;
  real beta = 0;
  real* c = nullptr;
  size_t ldc = 0;
};

// Where heads lie in memory: row t of head h of sequence b begins at
// data + b * sequence + h * head + t * row.
template <class T>
struct Heads {
  T* data = nullptr;
  size_t row = 0, head = 0, sequence = 0;
};

// Causal or full softmax attention. Query head h reads key-value head h / (n_head / n_kv_head).
// Each sequence has seq_len queries, and first_position more keys than queries: query t stands at
// position first_position + t among them.
//   y: (batch * seq_len) x (n_head d_value).   lse: batch x n_head x seq_len, the log-sum-exp of
//   each query's scaled scores, kept for backward instead of the probabilities.
// dropout > 0 drops probabilities (scaled by 1 / (1 - dropout)) by Philox bits keyed by `key` and
// counted by (first_sequence + b, h, query, key position), so the same mask comes back in backward.
struct AttentionArgs {
  size_t batch = 0, seq_len = 0, n_head = 0, n_kv_head = 0;
  size_t d_head = 0, d_value = 0;  // of queries and keys; of values and outputs
  size_t first_position = 0;       // forward only
  real scale = 1;
  bool causal = true;
  real dropout = 0;
  std::uint64_t key = 0, first_sequence = 0;
  Heads<const real> q, k, v;
  // Keys and values can be read up to kAttentionPadding rows and columns: those of a KvCache.
  bool padded = false;
  real* y = nullptr;         // forward: written; backward: read
  real* lse = nullptr;       // forward: written unless null; backward: read
  const real* dy = nullptr;  // backward only
  Heads<real> dq, dk, dv;    // backward only, written
  real* scratch = nullptr;   // attention_scratch(args) reals
};

// Rows and columns of padded keys and values are whole multiples of this.
constexpr size_t kAttentionPadding = 16;
constexpr size_t attention_padded(size_t n) {
  return (n + kAttentionPadding - 1) / kAttentionPadding * kAttentionPadding;
}

// Rotary position embedding in place: in each head the pair (x[i], x[i + d_head / 2]) turns by the
// angle whose cosine and sine are in the table, backwards if `inverse`.
struct RopeArgs {
  size_t rows = 0, seq_len = 0;  // row r is position first_position + r % seq_len
  size_t first_position = 0;
  size_t heads = 0, d_head = 0;        // d_head even
  size_t stride = 0, head_stride = 0;  // between rows, between heads
  const real* table = nullptr;         // a row a position: d_head / 2 cosines, then sines
  bool inverse = false;
  real* x = nullptr;
};

// One AdamW step over n values (torch.optim.AdamW: decoupled decay, eps outside the root).
struct AdamWArgs {
  size_t n = 0;
  real* w = nullptr;
  real* m = nullptr;
  real* v = nullptr;
  const real* g = nullptr;
  real grad_scale = 1;  // gradient clipping
  real lr = 0, beta1 = 0, beta2 = 0, eps = 0, weight_decay = 0;
  real correction1 = 1, correction2 = 1;  // 1 - beta^t
};

// y[i] = 0 where the bits of element first + i are below `limit`, else x[i] keep. The bits of
// element e are the lower (e even) or upper half of word e / 2 of the stream `key` at `step`
// (Rng::bits). y may be x.
struct DropoutArgs {
  size_t n = 0;
  const real* x = nullptr;
  real* y = nullptr;
  std::uint32_t limit = 0;  // probability 2^32
  real keep = 1;            // 1 / (1 - probability)
  std::uint64_t key = 0, step = 0, first = 0;
};

// y (m x n) = (x_codes (m x k) . w_codes^T) * x_step[row] * w_scale[column] + bias: exact in
// integers, one scaling at the end.
struct TernaryGemmArgs {
  size_t m = 0, n = 0, k = 0;
  const std::int8_t* x = nullptr;  // m rows, x_stride apart, padded with zeros to a multiple of 64
  size_t x_stride = 0;
  const real* x_step = nullptr;         // m: what one unit of x is worth
  const std::int32_t* x_sum = nullptr;  // m: sum of each row of codes
  const std::uint8_t* w = nullptr;      // from ternary_pack
  const real* w_scale = nullptr;        // n
  const real* bias = nullptr;           // n or null
  real* y = nullptr;                    // m x n, dense
};

struct Kernels {
  const char* name;

  void (*gemm)(const GemmArgs&);

  // Codes, steps and row sums of int8 absmax quantisation per row (FAQ of b1.58):
  // s = 127 / max(max|x|, eps); code = clamp(rne(x s), -128, 127); step = 1 / s. codes rows are
  // `stride` apart (a multiple of 64 >= cols); the padding is set to 0.
  void (*quantize_rows)(size_t rows,
                        size_t cols,
                        const real* x,
                        real eps,
                        std::int8_t* codes,
                        size_t stride,
                        real* step,
                        std::int32_t* sum);
  // x[r][c] = codes[r][c] * step[r]
  void (*dequantize_rows)(
      size_t rows, size_t cols, const std::int8_t* codes, size_t stride, const real* step, real* x);
  // codes[i] = clamp(rne(w[i] inverse), -1, 1); a NaN becomes 0.
  void (*ternary_round)(size_t n, const real* w, real inverse, std::int8_t* codes);
  // w[i] = scale codes[i]
  void (*ternary_expand)(size_t n, const std::int8_t* codes, real scale, real* w);
  // codes (n x k, dense, in {-1, 0, 1}) -> the layout ternary_gemm reads, ternary_packed_size(n, k)
  // bytes.
  size_t (*ternary_packed_size)(size_t n, size_t k);
  void (*ternary_pack)(size_t n, size_t k, const std::int8_t* codes, std::uint8_t* packed);
  // The codes (n x k, dense) that were packed.
  void (*ternary_unpack)(size_t n, size_t k, const std::uint8_t* packed, std::int8_t* codes);
  void (*ternary_gemm)(const TernaryGemmArgs&);

  size_t (*attention_scratch)(const AttentionArgs&);  // reals
  void (*attention_forward)(const AttentionArgs&);
  // The same bits for one query a sequence (seq_len 1, no dropout, lse null) and padded keys, at
  // the speed of reading them once.
  void (*attention_decode)(const AttentionArgs&);
  void (*attention_backward)(const AttentionArgs&);

  // Row-wise ops; formulas and shapes in core/ops/*.h.
  void (*rmsnorm_forward)(
      size_t rows, size_t cols, const real* x, const real* w, real eps, real* y, real* rstd);
  void (*rmsnorm_backward)(size_t rows,
                           size_t cols,
                           const real* dy,
                           const real* x,
                           const real* w,
                           const real* rstd,
                           real* dx,
                           real* dw);
  void (*layernorm_forward)(size_t rows,
                            size_t cols,
                            const real* x,
                            const real* w,
                            const real* b,
                            real eps,
                            real* y,
                            real* mean,
                            real* rstd);
  void (*layernorm_backward)(size_t rows,
                             size_t cols,
                             const real* dy,
                             const real* x,
                             const real* w,
                             const real* mean,
                             const real* rstd,
                             real* dx,
                             real* dw,
                             real* db);
  // y = (x - mean) w.  dx = w dy - mean(w dy), may be dy; dw is added to.
  void (*centering_forward)(size_t rows, size_t cols, const real* x, const real* w, real* y);
  void (*centering_backward)(
      size_t rows, size_t cols, const real* dy, const real* x, const real* w, real* dx, real* dw);
  double (*cross_entropy)(size_t rows,
                          size_t vocab,
                          const real* logits,
                          const std::int32_t* targets,
                          real grad_scale,
                          real* dlogits,
                          double* losses);
  void (*relu_forward)(size_t n, const real* x, real* y);
  void (*relu_backward)(size_t n, const real* y, real* dy);  // dy *= (y > 0)
  void (*gelu_forward)(size_t n, const real* x, real* y);
  void (*gelu_backward)(size_t n, const real* x, real* dy);   // dy *= gelu'(x)
  void (*relu2_forward)(size_t n, const real* x, real* y);    // y = max(x, 0)^2
  void (*relu2_backward)(size_t n, const real* x, real* dy);  // dy *= 2 max(x, 0)
  // Gated: a row of gu is gate | up, `cols` of each; h = act(gate) up. Backward overwrites gu with
  // its gradient.
  void (*swiglu_forward)(size_t rows, size_t cols, const real* gu, real* h);
  void (*swiglu_backward)(size_t rows, size_t cols, const real* dh, real* gu);
  void (*relu2_glu_forward)(size_t rows, size_t cols, const real* gu, real* h);
  void (*relu2_glu_backward)(size_t rows, size_t cols, const real* dh, real* gu);
  void (*rope)(const RopeArgs&);
  void (*dropout)(const DropoutArgs&);
  void (*copy)(size_t n, const real* x, real* y);  // y = x; they may overlap
  void (*add)(size_t n, const real* x, real* y);   // y += x
  void (*add_bias)(size_t rows, size_t cols, const real* b, real* y);
  void (*bias_backward)(size_t rows, size_t cols, const real* dy, real* db);  // db += column sums
  double (*sum_of_squares)(size_t n, const real* x);
  double (*sum_of_abs)(size_t n, const real* x);
  void (*adamw)(const AdamWArgs&);
};

// The table in use: the best that this CPU runs, or the one named by the environment variable
// BITLAB_KERNELS. Chosen at first use; throws Error for a name that is unknown or that this CPU
// cannot run.
const Kernels& kernels();

// Makes kernels() return `table` from now on. For profiling; not while another thread computes.
void use_kernels(const Kernels& table);

// Names of the tables that this CPU can run, best first: "avx512vnni", "avx2", "portable".
std::vector<std::string> available_kernels();

// A table by name; throws Error as above. For tests and benchmarks.
const Kernels& kernels_named(const std::string& name);

}  // namespace bitlab::simd
