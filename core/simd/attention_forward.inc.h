// Part of table.cpp. Forward attention: online softmax over blocks of keys.

#pragma once
#include "core/simd/attention_dropout.inc.h"

namespace attention {

struct ForwardScratch {
  real *k, *v, *q, *qt, *s, *y;
  explicit ForwardScratch(Plan& p)
      : k(p.take(p.rows * p.cols)),
        v(p.take(p.rows * p.v_cols)),
        q(p.take(kQueries * p.cols)),
        qt(p.take(kQueries * p.cols)),
        s(p.take(kKeys * kQueries)),
        y(p.take(kQueries * p.v_cols)) {}
};

// The running softmax of a block of queries: greatest score (in powers of 2), sum of 2^(score -
// greatest), and the factor by which the newest block of keys lowers what was summed before it.
struct Softmax {
  alignas(kVectorBytes) real top[kQueries], sum[kQueries], lowered[kQueries];
};

// The tile's scores of positions that a query must not see become -inf.
template <int N>
static inline void mask(const Plan& p, size_t key, size_t query, Tile<N>& tile) {
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
    for (int j = 0; j < N; ++j) {
      Int first = key + i >= p.S ? Int{kLanes} : Int{0};  // the first lane that sees the key
      if (p.causal && key + i < p.S)
        first = static_cast<Int>(key) + i - static_cast<Int>(query) - j * kLanes;
      tile.sum[i][j] = iota(AllLanes{}) >= first ? tile.sum[i][j] : splat(-INFINITY);
    }
}

// A tile of S^T: keys from `key` on, their rows from k on, and queries from `query` on, the lane of
// qt, top and s. Raises top to the greatest scores. Out of line: inlined it loses registers.
template <int N>
[[gnu::noinline]] static void score_tile(
    const Plan& p, size_t key, size_t query, Rows k, const real* qt, real* top, real* s) {
  Tile<N> tile{};
  tile.add_product(k.data, k.stride, 1, qt, kQueries, p.D);
  if (key + kRows > p.S || (p.causal && key + kRows - 1 > query)) mask(p, key, query, tile);
  tile.store_to(s, kQueries);
  for (int j = 0; j < N; ++j) {
    Vec greatest = load(top + j * kLanes);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) greatest = larger(greatest, tile.sum[i][j]);
    store(top + j * kLanes, greatest);
  }
}

// s = 2^(s - top), and the sums of it.
static void softmax_forward(
    const Plan& p, const Block& at, const real* old_top, Softmax& soft, real* s) {
  for (size_t v = 0; v < at.lanes(); v += kLanes) {
    const size_t end = at.query + v + kLanes;  // causal: the first key that no lane sees
    size_t n = at.key_count;
    if (p.causal && end < at.key + n) n = end > at.key ? end - at.key : 0;
    const Vec top = load(soft.top + v);
    Vec sum{};
    for (size_t k = 0; k < n; ++k) {
      const Vec e = exp2_of(load(s + k * kQueries + v) - top);
      store(s + k * kQueries + v, e);
      sum += e;
    }
    if (at.key > 0) {
      const Vec lowered = exp2_of(load(old_top + v) - top);
      store(soft.lowered + v, lowered);
      sum += load(soft.sum + v) * lowered;
    }
    store(soft.sum + v, sum);
  }
}

// Log-sum-exp of each query, unless lse is null; 1 / sum goes to `inverse`.
static void finish_softmax(const Block& at, const Softmax& soft, real* lse, real* inverse) {
  alignas(kVectorBytes) real all[kQueries];
  for (size_t v = 0; v < at.lanes(); v += kLanes) {
    const Vec sum = load(soft.sum + v);
    store(all + v, load(soft.top + v) * kLn2 + log_of(sum));
    store(inverse + v, real(1) / sum);
  }
  if (lse) std::memcpy(lse, all + at.skip, (at.query_count - at.skip) * sizeof(real));
}

// y and lse of one block of queries, at.query and at.query_count.
static void block_forward(const AttentionArgs& args,
                          const Plan& p,
                          const ForwardScratch& w,
                          size_t b,
                          size_t h,
                          Rows k,
                          Rows v,
                          Block at,
                          Ahead& ahead) {
  const size_t t = at.query + at.skip - p.first;  // its first query in the call
  Rows q = rows_of(args.q, b, h).from(t);
  if (p.D != p.cols || at.query_count % kStep != 0 || at.skip > 0)
    q = packed_queries(at, q, p.D, w.q);
  transpose_block(at, q, p.cols, args.scale * kLog2E, w.qt);
  const Rows to = output_rows(p, args.y, b, h).from(t);
  const bool in_place = p.V == p.v_cols && at.query_count % kRows == 0 && at.skip == 0;
  const Rows y = in_place ? to : Rows{w.y, p.v_cols};

  Softmax soft;
  alignas(kVectorBytes) real old_top[kQueries], inverse[kQueries];
  for (size_t i = 0; i < kQueries; ++i) soft.top[i] = -INFINITY;
  const size_t end = p.causal ? at.query + at.query_count : p.S;
  for (; at.key < end; at.key += kKeys) {
    at.key_count = end - at.key < kKeys ? end - at.key : kKeys;
    std::memcpy(old_top, soft.top, sizeof old_top);
    visit_tiles(p, at, ahead, [&](auto n, size_t r, size_t v) {
      const size_t lane = v * kLanes;
      score_tile<decltype(n)::value>(p, at.key + r, at.query + lane, k.from(at.key + r),
                                     w.qt + lane, soft.top + lane, w.s + r * kQueries + lane);
    });
    softmax_forward(p, at, old_top, soft, w.s);
    if (args.dropout > 0)
      visit_dropout(args, b, h, at,
                    [&](size_t i, Vec factor) { store(w.s + i, load(w.s + i) * factor); });
    const bool last = at.key + kKeys >= end;
    if (last)
      finish_softmax(at, soft, args.lse ? args.lse + (b * p.H + h) * p.T + t : nullptr, inverse);
    visit_columns(p.v_cols, [&](auto n, size_t d) {
      queries_by_keys<decltype(n)::value>(p, at, w.s, v.at(at.key, d), v.stride,
                                          at.key ? soft.lowered : nullptr, last ? inverse : nullptr,
                                          y.at(0, d), y.stride);
    });
  }
  if (!in_place) unpack(y.at(at.skip), y.stride, at.query_count - at.skip, p.V, to.data, to.stride);
}

}  // namespace attention
