// Part of table.cpp. Backward attention. With P = softmax(S), S = scale Q K^T, Y = P V:
//   dV = P^T dY,  dP = dY V^T,  dS = P (dP - delta) scale,  delta = rowsum(P dP) = rowsum(dY Y),
//   dQ = dS K,  dK = dS^T Q.
// P comes back from the scores and lse. With dropout factors M: Y = (P M) V, dV = (P M)^T dY and
// dP = M (dY V^T); delta stays rowsum(dY Y).

#pragma once
#include "core/simd/attention_dropout.inc.h"

namespace attention {

struct BackwardScratch {
  real *k, *v, *dk, *dv, *q, *dq, *dy, *y, *qt, *dyt, *p, *ds, *factors, *lse, *delta;
  BackwardScratch(const AttentionArgs& args, Plan& p)
      : k(p.take(p.rows * p.cols)),
        v(p.take(p.rows * p.v_cols)),
        dk(p.take(p.rows * p.cols)),
        dv(p.take(p.rows * p.v_cols)),
        q(p.take(kQueries * p.cols)),
        dq(p.take(kQueries * p.cols)),
        dy(p.take(kQueries * p.v_cols)),
        y(p.take(kQueries * p.v_cols)),
        qt(p.take(kQueries * p.cols)),
        dyt(p.take(kQueries * p.v_cols)),
        p(p.take(kKeys * kQueries)),
        ds(p.take(kKeys * kQueries)),
        factors(args.dropout > 0 ? p.take(kKeys * kQueries) : nullptr),
        lse(p.take(kQueries)),
        delta(p.take(kQueries)) {}
};

// Keys and values of a head, and where their gradients are summed.
struct Keys {
  Rows k, v, dk, dv;
};

// The tile functions stay out of line: inlined into the loops around them they lose registers.

// A tile of P^T = 2^(S^T - lse): keys from the row k on, queries from the lane of qt and lse on.
template <int N>
[[gnu::noinline]] static void probability_tile(
    const Plan& p, Rows k, const real* qt, const real* lse, real* probability) {
  Tile<N> tile{};
  tile.add_product(k.data, k.stride, 1, qt, kQueries, p.D);
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
    for (int j = 0; j < N; ++j) tile.sum[i][j] = exp2_of(tile.sum[i][j] - load(lse + j * kLanes));
  tile.store_to(probability, kQueries);
}

// The same tile of dS^T = P^T (M dP^T - delta) scale with dP^T = V dY^T; with factors M, P^T
// becomes M P^T, which dV needs.
template <int N>
[[gnu::noinline]] static void ds_tile(const Plan& p,
                                      Rows v,
                                      const real* dyt,
                                      const real* delta,
                                      real scale,
                                      const real* factors,
                                      real* probability,
                                      real* ds) {
  Tile<N> tile{};
  tile.add_product(v.data, v.stride, 1, dyt, kQueries, p.V);
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
    for (int j = 0; j < N; ++j) {
      const size_t at = i * kQueries + j * kLanes;
      const Vec x = load(probability + at);
      if (factors) {
        const Vec m = load(factors + at);
        tile.sum[i][j] *= m;
        store(probability + at, x * m);
      }
      tile.sum[i][j] = x * (tile.sum[i][j] - load(delta + j * kLanes)) * scale;
    }
  tile.store_to(ds, kQueries);
}

// P^T and dS^T of a block. What lies above the diagonal is rubbish that nobody reads.
static void scores_backward(const Plan& p,
                            const Block& at,
                            const Keys& keys,
                            real scale,
                            const BackwardScratch& w,
                            Ahead& ahead) {
  visit_tiles(p, at, ahead, [&](auto n, size_t r, size_t v) {
    constexpr int N = decltype(n)::value;
    const size_t lane = v * kLanes, here = r * kQueries + lane;
    probability_tile<N>(p, keys.k.from(at.key + r), w.qt + lane, w.lse + lane, w.p + here);
    ds_tile<N>(p, keys.v.from(at.key + r), w.dyt + lane, w.delta + lane, scale,
               w.factors ? w.factors + here : nullptr, w.p + here, w.ds + here);
  });
}

// delta (lanes of the block) = rowsum(dY Y).
static void row_dots(const Plan& p, const Block& at, Rows dy, Rows y, real* delta) {
  for (size_t i = 0; i < at.lanes(); i += kLanes) {
    Vec dots[kLanes];
    for (int l = 0; l < kLanes; ++l) {
      dots[l] = load(dy.at(i + l)) * load(y.at(i + l));
      for (size_t d = kLanes; d < p.v_cols; d += kLanes)
        dots[l] += load(dy.at(i + l, d)) * load(y.at(i + l, d));
    }
    transpose_square(dots);
    Vec sum = dots[0];
    for (int l = 1; l < kLanes; ++l) sum += dots[l];
    store(delta + i, sum);
  }
}

// Adds to dk and dv what one block of queries gives, and writes its dq.
static void block_backward(const AttentionArgs& args,
                           const Plan& p,
                           const BackwardScratch& w,
                           size_t b,
                           size_t h,
                           const Keys& keys,
                           Block at,
                           Ahead& ahead) {
  Rows q = rows_of(args.q, b, h).from(at.query);
  Rows dy = output_rows(p, args.dy, b, h).from(at.query);
  Rows y = output_rows(p, args.y, b, h).from(at.query);
  const bool whole = p.whole && at.query_count % kStep == 0;
  if (!whole) y = packed_queries(at, y, p.V, w.y);
  if (!whole || !p.direct) {
    q = packed_queries(at, q, p.D, w.q);
    dy = packed_queries(at, dy, p.V, w.dy);
  }
  transpose_block(at, q, p.cols, args.scale * kLog2E, w.qt);
  transpose_block(at, dy, p.v_cols, 1, w.dyt);
  row_dots(p, at, dy, y, w.delta);
  const real* lse = args.lse + (b * p.H + h) * p.T + at.query;
  for (size_t i = 0; i < at.lanes(); ++i) w.lse[i] = i < at.query_count ? lse[i] * kLog2E : real(0);

  const Rows to = rows_of(args.dq, b, h).from(at.query);
  const Rows dq = whole ? to : Rows{w.dq, p.cols};
  const bool first_head = h % p.G == 0;
  const size_t end = p.causal ? at.query + at.query_count : p.S;
  for (; at.key < end; at.key += kKeys) {
    at.key_count = end - at.key < kKeys ? end - at.key : kKeys;
    if (args.dropout > 0)
      visit_dropout(args, b, h, at, [&](size_t i, Vec factor) { store(w.factors + i, factor); });
    scores_backward(p, at, keys, args.scale, w, ahead);
    visit_columns(p.v_cols, [&](auto n, size_t d) {
      keys_by_queries<decltype(n)::value>(p, at, first_head, w.p, dy.at(0, d), dy.stride,
                                          keys.dv.at(at.key, d), keys.dv.stride);
    });
    visit_columns(p.cols, [&](auto n, size_t d) {
      constexpr int N = decltype(n)::value;
      keys_by_queries<N>(p, at, first_head, w.ds, q.at(0, d), q.stride, keys.dk.at(at.key, d),
                         keys.dk.stride);
      queries_by_keys<N>(p, at, w.ds, keys.k.at(at.key, d), keys.k.stride, nullptr, nullptr,
                         dq.at(0, d), dq.stride);
    });
  }
  if (!whole) unpack(dq.data, dq.stride, at.query_count, p.D, to.data, to.stride);
}

}  // namespace attention
