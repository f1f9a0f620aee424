// Part of table.cpp. Softmax attention, forward and backward, one block of queries against blocks
// of keys (online softmax), so that memory grows linearly with seq_len.
//
// Scores are kept transposed, S^T (key, query), queries in the lanes: the softmax over keys then
// needs no sum across lanes. K and V of a head are packed densely once; a block of Q is packed and
// transposed. In a causal product an entry above the diagonal is never read, so nothing of a future
// token, not even a NaN, reaches an earlier output.

#include "core/simd/attention_math.inc.h"

namespace attention {

constexpr size_t kQueries = 4 * kLanes;  // a block of queries
constexpr size_t kKeys = 64;             // a block of keys
constexpr real kLog2E = real(1.4426950408889634), kLn2 = real(0.6931471805599453);

static size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

// Where things are: sizes, the parts of a head, and the scratch memory.
struct Plan {
  size_t T, D, H, G;   // seq_len, d_head, n_head, query heads of one key-value head
  size_t width, cols;  // of a row of qkv; of a packed row: d_head padded to whole vectors
  size_t rows;         // seq_len padded to whole tiles
  real* next;          // free scratch

  explicit Plan(const AttentionArgs& args)
      : T(args.seq_len),
        D(args.d_head),
        H(args.n_head),
        G(H / args.n_kv_head),
        width((H + 2 * args.n_kv_head) * D),
        cols(round_up(D, kLanes)),
        rows(round_up(T, kRows)),
        next(reinterpret_cast<real*>(
            round_up(reinterpret_cast<std::uintptr_t>(args.scratch), kVectorBytes))) {}

  real* take(size_t n) {
    real* taken = next;
    next += round_up(n, kLanes);
    return taken;
  }
};

// A block of queries of one head.
struct Block {
  size_t head, first, count;  // count <= kQueries real queries; lanes after them hold zeros
  size_t lanes() const { return round_up(count, kLanes > kRows ? kLanes : kRows); }
};

// Calls visit(integral_constant<N>, row, vector) for tiles of N = 1 or 2 vectors of queries that
// cover S^T of keys [key, key_end) and the block's queries, without tiles that lie above the
// diagonal.
template <class Visit>
[[gnu::always_inline]] static inline void visit_tiles(
    const Block& q, bool causal, size_t key, size_t key_end, const Visit& visit) {
  const size_t vectors = q.lanes() / kLanes;
  for (size_t r = 0; r < key_end - key; r += kRows) {
    size_t v = causal && key + r > q.first ? (key + r - q.first) / kLanes : 0;
    for (; v + 2 <= vectors; v += 2) visit(std::integral_constant<int, 2>{}, r, v);
    if (v < vectors) visit(std::integral_constant<int, 1>{}, r, v);
  }
}

// C (queries x cols) = A B, or += if `add`, after a multiplication of row r by factors[r] if given.
// The inner index runs over keys [key, key_end), A(r, k) = a[k * kQueries + r].
template <int N>
static void queries_by_keys(const Plan& p,
                            const Block& q,
                            bool causal,
                            size_t key,
                            size_t key_end,
                            const real* a,
                            const real* b,
                            bool add,
                            const real* factors,
                            real* c) {
  for (size_t r = 0; r < q.count; r += kRows) {
    const size_t first = q.first + r;  // causal: row 0 of the tile sees the keys up to this one
    if (causal && first < key) continue;
    Tile<N> tile;
    for (int i = 0; i < kRows; ++i)
      for (int j = 0; j < N; ++j)
        tile.sum[i][j] = add ? load(c + (r + i) * p.cols + j * kLanes) : Vec{};
    if (factors)
      for (int i = 0; i < kRows; ++i)
        for (int j = 0; j < N; ++j) tile.sum[i][j] *= factors[r + i];
    const bool diagonal = causal && first < key_end;
    const size_t n = (diagonal ? first + 1 : key_end) - key;
    tile.add_product(a + r, 1, kQueries, b, p.cols, n);
    if (diagonal)
      tile.add_below(a + r + n * kQueries, 1, kQueries, b + n * p.cols, p.cols, Triangle{});
    for (int i = 0; i < kRows; ++i)
      for (int j = 0; j < N; ++j) store(c + (r + i) * p.cols + j * kLanes, tile.sum[i][j]);
  }
}

// C (keys x cols) += A B: the inner index runs over the block's queries, A(r, k) = a[r * kQueries +
// k].
template <int N>
static void keys_by_queries(const Plan& p,
                            const Block& q,
                            bool causal,
                            size_t key,
                            size_t key_end,
                            const real* a,
                            const real* b,
                            real* c) {
  for (size_t r = 0; r < key_end - key; r += kRows) {
    const bool diagonal = causal && key + r >= q.first;
    size_t k = diagonal ? key + r - q.first : 0;  // the first query that sees row 0
    Tile<N> tile;
    for (int i = 0; i < kRows; ++i)
      for (int j = 0; j < N; ++j) tile.sum[i][j] = load(c + (r + i) * p.cols + j * kLanes);
    if (diagonal) {
      tile.add_above(a + r * kQueries + k, kQueries, 1, b + k * p.cols, p.cols, Triangle{});
      k += kRows - 1;
    }
    const size_t n = q.count > k ? q.count - k : 0;
    tile.add_product(a + r * kQueries + k, kQueries, 1, b + k * p.cols, p.cols, n);
    for (int i = 0; i < kRows; ++i)
      for (int j = 0; j < N; ++j) store(c + (r + i) * p.cols + j * kLanes, tile.sum[i][j]);
  }
}

// Calls product(integral_constant<N>, first column) for the columns of a head, two vectors at a
// time.
template <class Product>
[[gnu::always_inline]] static inline void visit_columns(const Plan& p, const Product& product) {
  size_t d = 0;
  for (; d + 2 * kLanes <= p.cols; d += 2 * kLanes) product(std::integral_constant<int, 2>{}, d);
  if (d < p.cols) product(std::integral_constant<int, 1>{}, d);
}

// The running softmax of a block of queries: greatest score (in powers of 2), sum of 2^(score -
// greatest), and the factor by which the last block of keys lowered what was summed before.
struct Softmax {
  Vec top[kQueries / kLanes], sum[kQueries / kLanes], lowered[kQueries / kLanes];
};

// S^T of keys [key, key_end) and the block; masked scores are -inf. Raises soft.top.
static void scores_forward(const Plan& p,
                           const Block& q,
                           bool causal,
                           size_t key,
                           size_t key_end,
                           const real* k,
                           const real* qt,
                           Softmax& soft,
                           real* s) {
  visit_tiles(q, causal, key, key_end, [&](auto n, size_t r, size_t v) {
    constexpr int N = decltype(n)::value;
    Tile<N> tile{};
    tile.add_product(k + r * p.cols, p.cols, 1, qt + v * kLanes, kQueries, p.D);
    const size_t last = key + r + kRows - 1, first_lane = q.first + v * kLanes;
    const bool masked = last >= p.T || (causal && last > first_lane);
    for (int j = 0; j < N; ++j) {
      Vec top = soft.top[v + j];
      for (int i = 0; i < kRows; ++i) {
        if (masked) {
          const size_t at = key + r + i;
          const Int lane = at >= p.T ? Int{kLanes}
                           : causal
                               ? static_cast<Int>(at) - static_cast<Int>(first_lane) - j * kLanes
                               : Int{0};
          tile.sum[i][j] = iota(AllLanes{}) >= lane ? tile.sum[i][j] : splat(-INFINITY);
        }
        top = larger(top, tile.sum[i][j]);
        store(s + (r + i) * kQueries + (v + j) * kLanes, tile.sum[i][j]);
      }
      soft.top[v + j] = top;
    }
  });
}

// s = 2^(s - top) and the sums of it. Lanes that see no key of [key, key_end) are left alone.
static void softmax_forward(const Block& q,
                            bool causal,
                            size_t key,
                            size_t keys,
                            const Vec* old_top,
                            Softmax& soft,
                            real* s) {
  for (size_t v = 0; v < q.lanes() / kLanes; ++v) {
    const size_t last = q.first + (v + 1) * kLanes;  // first key that no lane sees
    const size_t n = !causal || last > key + keys ? keys : (last > key ? last - key : 0);
    const Vec top = soft.top[v];
    Vec sum{};
    for (size_t k = 0; k < n; ++k) {
      real* at = s + k * kQueries + v * kLanes;
      const Vec e = exp2_of(load(at) - top);
      store(at, e);
      sum += e;
    }
    soft.lowered[v] = exp2_of(old_top[v] - top);
    soft.sum[v] = soft.sum[v] * soft.lowered[v] + sum;
  }
}

static void multiply(size_t rows, size_t lanes, const real* factors, real* x) {
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < lanes; c += kLanes)
      store(x + r * kQueries + c, load(x + r * kQueries + c) * load(factors + r * kQueries + c));
}

struct ForwardScratch {
  real *k, *v, *q, *qt, *s, *y, *factors;
  ForwardScratch(const AttentionArgs& args, Plan& p)
      : k(p.take(p.rows * p.cols)),
        v(p.take(p.rows * p.cols)),
        q(p.take(kQueries * p.cols)),
        qt(p.take(kQueries * p.cols)),
        s(p.take(kKeys * kQueries)),
        y(p.take(kQueries * p.cols)),
        factors(args.dropout > 0 ? p.take(kKeys * kQueries) : nullptr) {}
};

// End of the keys that a block of queries sees.
static size_t keys_end(const Plan& p, const Block& q, bool causal) {
  return causal ? q.first + q.count : p.T;
}

static void pack_transposed(
    const Plan& p, const Block& q, const real* rows, real factor, real* to) {
  for (size_t i = 0; i < q.lanes(); i += kLanes)
    transpose(rows + i * p.cols, p.cols, factor, to + i, kQueries);
}

// y and lse of one block of queries.
static void block_forward(
    const AttentionArgs& args, const Plan& p, const ForwardScratch& w, size_t b, const Block& q) {
  const real* x = args.qkv + (b * p.T + q.first) * p.width + q.head * p.D;
  pack(x, p.width, q.count, p.D, w.q, q.lanes(), p.cols);
  pack_transposed(p, q, w.q, args.scale * kLog2E, w.qt);
  Softmax soft;
  for (size_t v = 0; v < kQueries / kLanes; ++v)
    soft.top[v] = splat(-INFINITY), soft.sum[v] = Vec{};
  const size_t end = keys_end(p, q, args.causal);
  for (size_t key = 0; key < end; key += kKeys) {
    const size_t keys = end - key < kKeys ? end - key : kKeys, key_end = key + keys;
    Vec old_top[kQueries / kLanes];
    for (size_t v = 0; v < kQueries / kLanes; ++v) old_top[v] = soft.top[v];
    scores_forward(p, q, args.causal, key, key + round_up(keys, kRows), w.k + key * p.cols, w.qt,
                   soft, w.s);
    softmax_forward(q, args.causal, key, keys, old_top, soft, w.s);
    if (args.dropout > 0) {
      dropout_factors(args, b, q.head, q.first, q.lanes(), key, round_up(keys, kRows), w.factors,
                      kQueries);
      multiply(keys, q.lanes(), w.factors, w.s);
    }
    const real* lowered = key ? reinterpret_cast<const real*>(soft.lowered) : nullptr;
    visit_columns(p, [&](auto n, size_t d) {
      queries_by_keys<decltype(n)::value>(p, q, args.causal, key, key_end, w.s,
                                          w.v + key * p.cols + d, key > 0, lowered, w.y + d);
    });
  }
  for (size_t v = 0; v < q.lanes() / kLanes; ++v) {
    const Vec lse = soft.top[v] * kLn2 + log_of(soft.sum[v]), factor = real(1) / soft.sum[v];
    for (size_t i = v * kLanes; i < q.count && i < (v + 1) * kLanes; ++i) {
      const size_t t = q.first + i;
      args.lse[(b * p.H + q.head) * p.T + t] = lse[i - v * kLanes];
      unpack(w.y + i * p.cols, p.cols, factor[i - v * kLanes], 1, p.D,
             args.y + (b * p.T + t) * p.H * p.D + q.head * p.D, 0);
    }
  }
}

struct BackwardScratch {
  real *k, *v, *dk, *dv, *q, *dy, *qt, *dyt, *p, *ds, *dq, *factors, *lse, *delta;
  BackwardScratch(const AttentionArgs& args, Plan& p)
      : k(p.take(p.rows * p.cols)),
        v(p.take(p.rows * p.cols)),
        dk(p.take(p.rows * p.cols)),
        dv(p.take(p.rows * p.cols)),
        q(p.take(kQueries * p.cols)),
        dy(p.take(kQueries * p.cols)),
        qt(p.take(kQueries * p.cols)),
        dyt(p.take(kQueries * p.cols)),
        p(p.take(kKeys * kQueries)),
        ds(p.take(kKeys * kQueries)),
        dq(p.take(kQueries * p.cols)),
        factors(args.dropout > 0 ? p.take(kKeys * kQueries) : nullptr),
        lse(p.take(kQueries)),
        delta(p.take(kQueries)) {}
};

// P^T = 2^(S^T - lse) and dS^T = P^T (dP^T - delta), with dP^T = V dY^T. What lies above the
// diagonal is not masked: nobody reads it.
static void scores_backward(const Plan& p,
                            const Block& q,
                            bool causal,
                            size_t key,
                            size_t key_end,
                            const BackwardScratch& w) {
  visit_tiles(q, causal, key, key_end, [&](auto n, size_t r, size_t v) {
    constexpr int N = decltype(n)::value;
    Tile<N> s{};
    s.add_product(w.k + (key + r) * p.cols, p.cols, 1, w.qt + v * kLanes, kQueries, p.D);
    for (int i = 0; i < kRows; ++i)
      for (int j = 0; j < N; ++j) {
        const size_t at = (r + i) * kQueries + (v + j) * kLanes;
        store(w.p + at, exp2_of(s.sum[i][j] - load(w.lse + (v + j) * kLanes)));
      }
    Tile<N> dp{};
    dp.add_product(w.v + (key + r) * p.cols, p.cols, 1, w.dyt + v * kLanes, kQueries, p.D);
    for (int i = 0; i < kRows; ++i)
      for (int j = 0; j < N; ++j) {
        const size_t at = (r + i) * kQueries + (v + j) * kLanes;
        const Vec probability = load(w.p + at), delta = load(w.delta + (v + j) * kLanes);
        if (w.factors) {
          const Vec factor = load(w.factors + at);
          store(w.ds + at, probability * (dp.sum[i][j] * factor - delta));
          store(w.p + at, probability * factor);
        } else {
          store(w.ds + at, probability * (dp.sum[i][j] - delta));
        }
      }
  });
}

// Packs a block's q and dy both ways; lse in powers of 2; delta = sum over d of dy y.
static void prepare_backward(
    const AttentionArgs& args, const Plan& p, const BackwardScratch& w, size_t b, const Block& q) {
  const size_t row = b * p.T + q.first, y_width = p.H * p.D;
  pack(args.qkv + row * p.width + q.head * p.D, p.width, q.count, p.D, w.q, q.lanes(), p.cols);
  pack_transposed(p, q, w.q, args.scale * kLog2E, w.qt);
  // dq is free until the first product: it holds y.
  pack(args.y + row * y_width + q.head * p.D, y_width, q.count, p.D, w.dq, q.lanes(), p.cols);
  pack(args.dy + row * y_width + q.head * p.D, y_width, q.count, p.D, w.dy, q.lanes(), p.cols);
  pack_transposed(p, q, w.dy, 1, w.dyt);
  for (size_t i = 0; i < q.lanes(); i += kLanes) {
    Vec dots[kLanes];
    for (int l = 0; l < kLanes; ++l) {
      const size_t at = (i + l) * p.cols;
      dots[l] = load(w.dy + at) * load(w.dq + at);
      for (size_t d = kLanes; d < p.cols; d += kLanes)
        dots[l] += load(w.dy + at + d) * load(w.dq + at + d);
    }
    transpose_square(dots);
    Vec sum = dots[0];
    for (int l = 1; l < kLanes; ++l) sum += dots[l];
    store(w.delta + i, sum);
  }
  const real* lse = args.lse + (b * p.H + q.head) * p.T + q.first;
  for (size_t i = 0; i < q.lanes(); ++i) w.lse[i] = i < q.count ? lse[i] * kLog2E : real(INFINITY);
}

// Adds to dk and dv of the head what a block of queries gives, and writes its dq.
static void block_backward(
    const AttentionArgs& args, const Plan& p, const BackwardScratch& w, size_t b, const Block& q) {
  prepare_backward(args, p, w, b, q);
  const size_t end = keys_end(p, q, args.causal);
  for (size_t key = 0; key < end; key += kKeys) {
    const size_t keys = end - key < kKeys ? end - key : kKeys, key_end = key + keys;
    const size_t padded_end = key + round_up(keys, kRows);
    if (args.dropout > 0)
      dropout_factors(args, b, q.head, q.first, q.lanes(), key, round_up(keys, kRows), w.factors,
                      kQueries);
    scores_backward(p, q, args.causal, key, padded_end, w);
    visit_columns(p, [&](auto n, size_t d) {
      constexpr int N = decltype(n)::value;
      const size_t at = key * p.cols + d;
      keys_by_queries<N>(p, q, args.causal, key, padded_end, w.p, w.dy + d, w.dv + at);
      keys_by_queries<N>(p, q, args.causal, key, padded_end, w.ds, w.q + d, w.dk + at);
      queries_by_keys<N>(p, q, args.causal, key, key_end, w.ds, w.k + at, key > 0, nullptr,
                         w.dq + d);
    });
  }
  unpack(w.dq, p.cols, args.scale, q.count, p.D,
         args.dqkv + (b * p.T + q.first) * p.width + q.head * p.D, p.width);
}

}  // namespace attention

static size_t attention_scratch(const AttentionArgs& args) {
  using namespace attention;
  const Plan p(args);
  return 4 * p.rows * p.cols + 7 * kQueries * p.cols + 3 * kKeys * kQueries + 2 * kQueries + kLanes;
}

static void attention_forward(const AttentionArgs& args) {
  using namespace attention;
  Plan p(args);
  const ForwardScratch w(args, p);
  for (size_t b = 0; b < args.batch; ++b)
    for (size_t group = 0; group < args.n_kv_head; ++group) {
      const real* k = args.qkv + b * p.T * p.width + (p.H + group) * p.D;
      pack(k, p.width, p.T, p.D, w.k, p.rows, p.cols);
      pack(k + args.n_kv_head * p.D, p.width, p.T, p.D, w.v, p.rows, p.cols);
      for (size_t h = group * p.G; h < (group + 1) * p.G; ++h)
        for (size_t t = 0; t < p.T; t += kQueries)
          block_forward(args, p, w, b, {h, t, p.T - t < kQueries ? p.T - t : kQueries});
    }
}

static void attention_backward(const AttentionArgs& args) {
  using namespace attention;
  Plan p(args);
  const BackwardScratch w(args, p);
  for (size_t b = 0; b < args.batch; ++b)
    for (size_t group = 0; group < args.n_kv_head; ++group) {
      const size_t k = b * p.T * p.width + (p.H + group) * p.D, v = k + args.n_kv_head * p.D;
      pack(args.qkv + k, p.width, p.T, p.D, w.k, p.rows, p.cols);
      pack(args.qkv + v, p.width, p.T, p.D, w.v, p.rows, p.cols);
      pack(nullptr, 0, 0, p.D, w.dk, p.rows, p.cols);
      pack(nullptr, 0, 0, p.D, w.dv, p.rows, p.cols);
      for (size_t h = group * p.G; h < (group + 1) * p.G; ++h)
        for (size_t t = 0; t < p.T; t += kQueries)
          block_backward(args, p, w, b, {h, t, p.T - t < kQueries ? p.T - t : kQueries});
      unpack(w.dk, p.cols, args.scale, p.T, p.D, args.dqkv + k, p.width);
      unpack(w.dv, p.cols, 1, p.T, p.D, args.dqkv + v, p.width);
    }
}
