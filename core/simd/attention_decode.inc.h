// Part of table.cpp. Forward attention for one query a sequence: each key and value is read once,
// for all query heads that share it. Every sum runs in the order of the blocked kernel, so its bits
// are the same; what differs is what lies in the lanes: keys here, queries there.

#pragma once
#include "core/simd/attention_forward.inc.h"

namespace attention {

constexpr size_t kTogether = 4;          // query heads whose scores are computed at once
constexpr size_t kFetched = 4 * kLanes;  // keys fetched before their turn

// State of the query heads that share one head of keys, one after the other.
struct DecodeScratch {
  real *q, *s, *y;  // scaled queries (cols), scores of a block (kKeys), outputs so far (v_cols)
  real *top, *sum;  // as in Softmax
  explicit DecodeScratch(Plan& p)
      : q(p.take(p.G * p.cols)),
        s(p.take(p.G * kKeys)),
        y(p.take(p.G * p.v_cols)),
        top(p.take(p.G)),
        sum(p.take(p.G)) {}
  static size_t size(const Plan& p) { return p.G * (p.cols + kKeys + p.v_cols + 2) + 5 * kLanes; }
};

// s (N heads, kKeys apart) = scores of kLanes keys; q: N rows of p.cols. A square of keys is
// transposed in registers, so that each lane sums over one key's columns in their order.
template <size_t N>
[[gnu::noinline]] static void decode_scores(const Plan& p, Rows k, const real* q, real* s) {
  Vec sum[N] = {};
  for (size_t d = 0; d < p.D; d += kLanes) {
    Vec square[kLanes];
    for (int i = 0; i < kLanes; ++i) square[i] = load(k.at(i, d));
    transpose_square(square);
    if (d + kLanes <= p.D) {
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i)
        for (size_t h = 0; h < N; ++h) sum[h] += square[i] * splat(q[h * p.cols + d + i]);
    } else {
      for (size_t i = 0; i < p.D - d; ++i)
        for (size_t h = 0; h < N; ++h) sum[h] += square[i] * splat(q[h * p.cols + d + i]);
    }
  }
  for (size_t h = 0; h < N; ++h) store(s + h * kKeys, sum[h]);
}

template <size_t... N>
static void decode_scores(
    size_t heads, const Plan& p, Rows k, const real* q, real* s, std::index_sequence<N...>) {
  ((heads == N + 1 ? decode_scores<N + 1>(p, k, q, s) : void()), ...);
}

// s of one head = 2^(s - top), 0 up to whole vectors; returns the factor that lowers what was
// summed before. The greatest of scores is the same in any order.
static Vec decode_exponents(const Block& at, real* s, real& top) {
  const size_t lanes = round_up(at.key_count, kLanes);
  for (size_t k = at.key_count; k < lanes; ++k) s[k] = -INFINITY;
  const real old_top = top;
  Vec greatest = splat(top);
  for (size_t k = 0; k < lanes; k += kLanes) greatest = larger(greatest, load(s + k));
  for (int l = 0; l < kLanes; ++l) top = greatest[l] > top ? greatest[l] : top;
  for (size_t k = 0; k < lanes; k += kLanes) store(s + k, exp2_of(load(s + k) - top));
  return exp2_of(splat(old_top) - top);
}

// N vectors of columns of y = lowered y + s V, and the sum of s: both run over the keys in their
// order. The old y counts from the second block of keys on.
template <size_t N>
[[gnu::noinline]] static real decode_values(
    const Block& at, const real* s, real lowered, Rows v, real* y) {
  Vec sum[N] = {};
  real total = 0;
  if (at.key > 0)
    for (size_t j = 0; j < N; ++j) sum[j] = load(y + j * kLanes) * lowered;
  for (size_t k = 0; k < at.key_count; ++k) {
    total += s[k];
    for (size_t j = 0; j < N; ++j) sum[j] += splat(s[k]) * load(v.at(k, j * kLanes));
  }
  for (size_t j = 0; j < N; ++j) store(y + j * kLanes, sum[j]);
  return total;
}

// One block of keys of one head.
static void decode_block(
    const Plan& p, const Block& at, real* s, real& top, real& sum, Rows v, real* y) {
  const Vec lowered = decode_exponents(at, s, top);
  real block = 0;
  size_t d = 0;
  for (; d + 4 * kLanes <= p.v_cols; d += 4 * kLanes)
    block = decode_values<4>(at, s, lowered[0], {v.at(0, d), v.stride}, y + d);
  for (; d < p.v_cols; d += kLanes)
    block = decode_values<1>(at, s, lowered[0], {v.at(0, d), v.stride}, y + d);
  Vec total = splat(block);
  if (at.key > 0) total += splat(sum) * lowered;
  sum = total[0];
}

// Rows that will be read soon: where heads begin the processor does not foresee them.
static void fetch_rows(Rows from, size_t rows, size_t cols) {
  for (size_t r = 0; r < rows; ++r)
    for (size_t d = 0; d < cols; d += 64 / sizeof(real)) __builtin_prefetch(from.at(r, d), 0, 2);
}

// The query heads from h on that share the keys k and values v; `next` are the keys of the head
// after.
static void decode_group(const AttentionArgs& args,
                         const Plan& p,
                         const DecodeScratch& w,
                         size_t b,
                         size_t h,
                         Rows k,
                         Rows v,
                         Rows next) {
  for (size_t g = 0; g < p.G; ++g) {
    const Rows q = rows_of(args.q, b, h + g);
    for (size_t d = 0; d < p.D; ++d) w.q[g * p.cols + d] = q.data[d] * (args.scale * kLog2E);
    w.top[g] = -INFINITY;
  }
  for (Block at{p.first, 1, 0, 0, 0}; at.key < p.S; at.key += kKeys) {
    at.key_count = p.S - at.key < kKeys ? p.S - at.key : kKeys;
    for (size_t i = 0; i < at.key_count; i += kLanes) {
      const size_t ahead = at.key + i + kFetched;
      fetch_rows(ahead < p.S ? k.from(ahead) : next.from(ahead - p.S), kLanes, p.cols);
      fetch_rows(v.from(at.key + i), kLanes, p.v_cols);
      for (size_t g = 0; g < p.G; g += kTogether)
        decode_scores(p.G - g < kTogether ? p.G - g : kTogether, p, k.from(at.key + i),
                      w.q + g * p.cols, w.s + g * kKeys + i, std::make_index_sequence<kTogether>());
    }
    for (size_t g = 0; g < p.G; ++g)
      decode_block(p, at, w.s + g * kKeys, w.top[g], w.sum[g], v.from(at.key), w.y + g * p.v_cols);
  }
  for (size_t g = 0; g < p.G; ++g) {
    const real inverse = real(1) / w.sum[g];
    real* const y = output_rows(p, args.y, b, h + g).data;
    for (size_t d = 0; d < p.V; ++d) y[d] = w.y[g * p.v_cols + d] * inverse;
  }
}

static void decode(const AttentionArgs& args) {
  Plan p(args);
  const DecodeScratch w(p);
  for (size_t b = 0; b < args.batch; ++b)
    for (size_t h = 0; h < p.H; h += p.G)
      decode_group(args, p, w, b, h, rows_of(args.k, b, h / p.G), rows_of(args.v, b, h / p.G),
                   rows_of(args.k, b, (h + p.G < p.H ? h + p.G : 0) / p.G));
}

}  // namespace attention
