// Part of table.cpp. How attention is cut into blocks, and the products of one block of queries
// with one block of keys.

#pragma once
#include "core/simd/attention_math.inc.h"

namespace attention {

constexpr size_t kQueries = 32 > kLanes ? 32 : kLanes;  // a block of queries
constexpr size_t kKeys = 128;                           // a block of keys
// Heads of this size (in reals of q) are fetched ahead: smaller ones the processor foresees by
// itself, greater ones would not stay in the cache until they are used.
constexpr size_t kFetchFrom = 4096, kFetchTo = 65536;
constexpr size_t kStep = kLanes > kRows ? kLanes : kRows;
static_assert(kKeys % kQueries == 0 && kQueries % kStep == 0, "a diagonal tile lies in one block");

constexpr real kLog2E = real(1.4426950408889634), kLn2 = real(0.6931471805599453);

static size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

// The sizes of a call, and its free scratch memory.
struct Plan {
  size_t T, S, first;   // queries and keys of a sequence; the first query's position
  size_t H, G;          // n_head, query heads of one key-value head
  size_t D, V;          // d_head, d_value
  size_t cols, v_cols;  // those padded to whole vectors
  bool causal;
  bool whole;   // D and V are whole vectors: heads can be read and written where they are
  bool direct;  // keys are read where they are: whole too and few, so not worth a packed copy
  size_t rows;  // of a packed copy: S padded to whole tiles
  real* next;

  explicit Plan(const AttentionArgs& args)
      : T(args.seq_len),
        S(args.first_position + args.seq_len),
        first(args.first_position),
        H(args.n_head),
        G(H / args.n_kv_head),
        D(args.d_head),
        V(args.d_value),
        cols(round_up(D, kLanes)),
        v_cols(round_up(V, kLanes)),
        causal(args.causal),
        whole(D == cols && V == v_cols),
        direct(args.padded || (whole && S % kStep == 0 && S <= kKeys)),
        rows(direct ? 0 : round_up(S, kRows)),
        next(reinterpret_cast<real*>(
            round_up(reinterpret_cast<std::uintptr_t>(args.scratch), kVectorBytes))) {}

  real* take(size_t n) {
    real* taken = next;
    next += round_up(n, kLanes);
    return taken;
  }
};

// A matrix somewhere: rows `stride` apart.
struct Rows {
  real* data;
  size_t stride;
  real* at(size_t row, size_t col = 0) const { return data + row * stride + col; }
  Rows from(size_t row) const { return {at(row), stride}; }
};

// Input is const by contract of AttentionArgs; Rows of it are only read.
static Rows rows_of(const real* data, size_t stride) { return {const_cast<real*>(data), stride}; }

// The rows of one head.
template <class T>
static Rows rows_of(const Heads<T>& heads, size_t b, size_t h) {
  return rows_of(heads.data + b * heads.sequence + h * heads.head, heads.row);
}

// Of y and dy, which are dense.
static Rows output_rows(const Plan& p, const real* y, size_t b, size_t h) {
  return rows_of(y + b * p.T * p.H * p.V + h * p.V, p.H * p.V);
}

// A block of queries of one head and a block of keys, by position in the sequence. Blocks begin at
// multiples of kQueries and kKeys wherever a call's first query stands: that one may have lanes
// before it (`skip`). Those, and lanes from query_count on, up to whole tiles, hold zeros or
// rubbish that no real query or key ever takes in.
struct Block {
  size_t query, query_count;  // with the skipped lanes
  size_t skip;
  size_t key, key_count;
  size_t lanes() const { return round_up(query_count, kStep); }
  size_t tile_rows() const { return round_up(key_count, kRows); }  // of S^T
};

// Calls visit(block) for the blocks of queries, at the first key.
template <class Visit>
[[gnu::always_inline]] static inline void visit_queries(const Plan& p, const Visit& visit) {
  Block at{p.first / kQueries * kQueries, 0, p.first % kQueries, 0, 0};
  for (; at.query < p.S; at.query += kQueries, at.skip = 0) {
    at.query_count = p.S - at.query < kQueries ? p.S - at.query : kQueries;
    visit(at);
  }
}

// What the next head will touch, fetched into the cache a little at a time while this head is
// computed: rows of a head lie apart, so the processor does not foresee them.
struct Ahead {
  Rows streams[8];
  int n_streams = 0;
  size_t rows = 0, rows_per_step = 0, d_head = 0;

  void add(Rows first) { streams[n_streams++] = first; }

  void step() {
    for (size_t r = 0; r < rows_per_step && rows > 0; ++r, --rows)
      for (int s = 0; s < n_streams; ++s) {
        for (size_t d = 0; d < d_head; d += 64 / sizeof(real))
          __builtin_prefetch(streams[s].at(0, d), 0, 2);
        streams[s].data += streams[s].stride;
      }
  }
};

// Plans to fetch, over the tiles of a block, the same rows of the head after (b, h).
static Ahead fetch_ahead(
    const AttentionArgs& args, const Plan& p, bool backward, size_t b, size_t h, const Block& at) {
  Ahead ahead;
  if (++h == p.H) h = 0, ++b;
  if (b == args.batch || p.first > 0 || p.T * p.cols < kFetchFrom || p.T * p.cols > kFetchTo)
    return ahead;
  const size_t steps = round_up(p.causal ? at.query + at.query_count : p.T, kRows) / kRows;
  ahead.rows = at.query_count;
  ahead.rows_per_step = round_up(at.query_count, steps) / steps;
  ahead.d_head = p.D;
  ahead.add(rows_of(args.q, b, h).from(at.query));
  ahead.add(output_rows(p, args.y, b, h).from(at.query));
  if (backward) ahead.add(output_rows(p, args.dy, b, h).from(at.query));
  if (backward) ahead.add(rows_of(args.dq, b, h).from(at.query));
  if (h % p.G != 0) return ahead;
  ahead.add(rows_of(args.k, b, h / p.G).from(at.query));
  ahead.add(rows_of(args.v, b, h / p.G).from(at.query));
  if (backward) ahead.add(rows_of(args.dk, b, h / p.G).from(at.query));
  if (backward) ahead.add(rows_of(args.dv, b, h / p.G).from(at.query));
  return ahead;
}

// Calls visit(integral_constant<N>, row, vector) for tiles of N = 1 or 2 vectors of queries that
// cover the block of S^T (key, query), without tiles that lie above the diagonal.
template <class Visit>
[[gnu::always_inline]] static inline void visit_tiles(const Plan& p,
                                                      const Block& at,
                                                      Ahead& ahead,
                                                      const Visit& visit) {
  const size_t vectors = at.lanes() / kLanes;
  for (size_t r = 0; r < at.tile_rows(); r += kRows) {
    ahead.step();
    size_t v = p.causal && at.key + r > at.query ? (at.key + r - at.query) / kLanes : 0;
    for (; v + 2 <= vectors; v += 2) visit(std::integral_constant<int, 2>{}, r, v);
    if (v < vectors) visit(std::integral_constant<int, 1>{}, r, v);
  }
}

// Calls product(integral_constant<N>, first column) for `cols` columns: N = 3 vectors at a time, 2
// or 1 where that leaves a better rest.
template <class Product>
[[gnu::always_inline]] static inline void visit_columns(size_t cols, const Product& product) {
  size_t d = 0, left = cols / kLanes;
  for (; left == 3 || left > 4; left -= 3, d += 3 * kLanes)
    product(std::integral_constant<int, 3>{}, d);
  for (; left >= 2; left -= 2, d += 2 * kLanes) product(std::integral_constant<int, 2>{}, d);
  if (left > 0) product(std::integral_constant<int, 1>{}, d);
}

// N vectors of columns of C (queries) = A B, the sums running over the block's keys: A(r, k) =
// a[k * kQueries + r]. The old C counts from the second block of keys on, its rows times `before`;
// the rows of the new one are multiplied by `after`. Either may be null.
template <int N>
[[gnu::noinline]] static void queries_by_keys(const Plan& p,
                                              const Block& at,
                                              const real* a,
                                              const real* b,
                                              size_t ldb,
                                              const real* before,
                                              const real* after,
                                              real* c,
                                              size_t ldc) {
  for (size_t r = 0; r < at.query_count; r += kRows) {
    const size_t first = at.query + r;  // causal: row 0 of the tile sees the keys up to this one
    if (p.causal && first < at.key) continue;
    Tile<N> tile{};
    if (at.key > 0) tile.load_from(c + r * ldc, ldc);
    if (before) tile.scale(before + r);
    const bool diagonal = p.causal && first < at.key + at.key_count;
    const size_t n = diagonal ? first + 1 - at.key : at.key_count;
    tile.add_product(a + r, 1, kQueries, b, ldb, n);
    if (diagonal) tile.add_below(a + r + n * kQueries, 1, kQueries, b + n * ldb, ldb, Triangle{});
    if (after) tile.scale(after + r);
    tile.store_to(c + r * ldc, ldc);
  }
}

// N vectors of columns of C (keys) = A B, the sums running over the block's queries: A(r, k) =
// a[r * kQueries + k]. The old C counts, except where the first head of a group meets a key for the
// first time.
template <int N>
[[gnu::noinline]] static void keys_by_queries(const Plan& p,
                                              const Block& at,
                                              bool first_head,
                                              const real* a,
                                              const real* b,
                                              size_t ldb,
                                              real* c,
                                              size_t ldc) {
  for (size_t r = 0; r < at.tile_rows(); r += kRows) {
    const bool diagonal = p.causal && at.key + r >= at.query;
    size_t k = diagonal ? at.key + r - at.query : 0;  // the first query that sees row 0
    Tile<N> tile{};
    if (!first_head || (p.causal ? !diagonal : at.query > 0)) tile.load_from(c + r * ldc, ldc);
    if (diagonal) {
      tile.add_above(a + r * kQueries + k, kQueries, 1, b + k * ldb, ldb, Triangle{});
      k += kRows - 1;
    }
    const size_t n = at.query_count > k ? at.query_count - k : 0;
    tile.add_product(a + r * kQueries + k, kQueries, 1, b + k * ldb, ldb, n);
    tile.store_to(c + r * ldc, ldc);
  }
}

// A dense copy of rows x cols with zeros around, padded_rows x whole vectors.
static Rows packed(Rows from, size_t rows, size_t cols, size_t padded_rows, real* to) {
  const size_t padded_cols = round_up(cols, kLanes);
  pack(from.data, from.stride, rows, cols, to, padded_rows, padded_cols);
  return {to, padded_cols};
}

// The same of the queries of a block, zeros in its skipped lanes; `from` is the first real one.
static Rows packed_queries(const Block& at, Rows from, size_t cols, real* to) {
  const size_t ahead = at.skip * round_up(cols, kLanes);
  for (size_t i = 0; i < ahead; i += kLanes) store(to + i, Vec{});
  Rows rows = packed(from, at.query_count - at.skip, cols, at.lanes() - at.skip, to + ahead);
  return {to, rows.stride};
}

// to (cols x lanes, rows kQueries apart) = factor * (rows of a block)^T.
static void transpose_block(const Block& at, Rows from, size_t cols, real factor, real* to) {
  for (size_t i = 0; i < at.lanes(); i += kLanes)
    transpose(from.at(i), from.stride, cols, factor, to + i, kQueries);
}

}  // namespace attention
