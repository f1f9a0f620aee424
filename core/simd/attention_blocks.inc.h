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
  size_t T, D, H, G;   // seq_len, d_head, n_head, query heads of one key-value head
  size_t width, cols;  // of a row of qkv; d_head padded to whole vectors
  size_t rows;         // seq_len padded to whole tiles
  bool causal;
  bool whole;   // d_head is whole vectors: heads can be read and written where they are
  bool direct;  // and there are few keys, all in whole tiles: not worth a packed copy
  real* next;

  explicit Plan(const AttentionArgs& args)
      : T(args.seq_len),
        D(args.d_head),
        H(args.n_head),
        G(H / args.n_kv_head),
        width((H + 2 * args.n_kv_head) * D),
        cols(round_up(D, kLanes)),
        rows(round_up(T, kRows)),
        causal(args.causal),
        whole(D == cols),
        direct(whole && T % kStep == 0 && T <= kKeys),
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

// A block of queries of one head and a block of keys, by position in the sequence. Lanes from
// query_count on, up to whole tiles, hold zeros or rubbish that no real query or key ever takes in.
struct Block {
  size_t query, query_count;
  size_t key, key_count;
  size_t lanes() const { return round_up(query_count, kStep); }
  size_t tile_rows() const { return round_up(key_count, kRows); }  // of S^T
};

// What the next head will touch, fetched into the cache a little at a time while this head is
// computed: rows of a head lie apart, so the processor does not foresee them.
struct Ahead {
  Rows streams[8];
  int n_streams = 0;
  size_t rows = 0, rows_per_step = 0, d_head = 0;

  void add(const real* first, size_t stride) { streams[n_streams++] = rows_of(first, stride); }

  void step() {
    for (size_t r = 0; r < rows_per_step && rows > 0; ++r, --rows)
      for (int s = 0; s < n_streams; ++s) {
        for (size_t d = 0; d < d_head; d += 64 / sizeof(real))
          __builtin_prefetch(streams[s].at(0, d), 0, 2);
        streams[s].data += streams[s].stride;
      }
  }
};

// Where a head of a sequence begins in qkv and in y.
struct HeadAt {
  size_t q, k, v, y;
  HeadAt(const Plan& p, size_t b, size_t h)
      : q(b * p.T * p.width + h * p.D),
        k(b * p.T * p.width + (p.H + h / p.G) * p.D),
        v(k + p.H / p.G * p.D),
        y(b * p.T * p.H * p.D + h * p.D) {}
};

// Plans to fetch, over the tiles of a block, the same rows of the head after (b, h).
static Ahead fetch_ahead(
    const AttentionArgs& args, const Plan& p, bool backward, size_t b, size_t h, const Block& at) {
  Ahead ahead;
  if (++h == p.H) h = 0, ++b;
  if (b == args.batch || p.T * p.cols < kFetchFrom || p.T * p.cols > kFetchTo) return ahead;
  const size_t steps = round_up(p.causal ? at.query + at.query_count : p.T, kRows) / kRows;
  ahead.rows = at.query_count;
  ahead.rows_per_step = round_up(at.query_count, steps) / steps;
  ahead.d_head = p.D;
  const HeadAt next(p, b, h);
  const size_t in = at.query * p.width, out = at.query * p.H * p.D;
  ahead.add(args.qkv + next.q + in, p.width);
  ahead.add(args.y + next.y + out, p.H * p.D);
  if (backward) ahead.add(args.dy + next.y + out, p.H * p.D);
  if (backward) ahead.add(args.dqkv + next.q + in, p.width);
  if (h % p.G != 0) return ahead;
  ahead.add(args.qkv + next.k + in, p.width);
  ahead.add(args.qkv + next.v + in, p.width);
  if (backward) ahead.add(args.dqkv + next.k + in, p.width);
  if (backward) ahead.add(args.dqkv + next.v + in, p.width);
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

// Calls product(integral_constant<N>, first column) for the columns of a head: N = 3 vectors at a
// time, 2 or 1 where that leaves a better rest.
template <class Product>
[[gnu::always_inline]] static inline void visit_columns(const Plan& p, const Product& product) {
  size_t d = 0, left = p.cols / kLanes;
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

// A dense copy of rows x d_head with zeros around, padded_rows x cols.
static Rows packed(const Plan& p, Rows from, size_t rows, size_t padded_rows, real* to) {
  pack(from.data, from.stride, rows, p.D, to, padded_rows, p.cols);
  return {to, p.cols};
}

// to (cols x lanes, rows kQueries apart) = factor * (rows of a block)^T.
static void transpose_block(const Plan& p, const Block& at, Rows from, real factor, real* to) {
  for (size_t i = 0; i < at.lanes(); i += kLanes)
    transpose(from.at(i), from.stride, p.cols, factor, to + i, kQueries);
}

}  // namespace attention
