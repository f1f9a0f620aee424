// Part of table.cpp. C = A B^T for a few rows of A: every number of B is read once, so memory is
// the limit. B is not packed but transposed in registers, square by square; each element of C is
// the same sum in the same order as in the blocked product, so a row's bits are the same.

#pragma once

namespace matrix {

constexpr size_t kGemvRows = 4;  // of A, at most

constexpr size_t kAhead =
    768 / sizeof(real);  // numbers of each row of B, fetched before their turn

// sum[r] += the square of B that begins at b, times kLanes columns of each row of A. Fetches a
// later one.
template <size_t N>
[[gnu::always_inline]] static inline void gemv_square(
    const real* b, const real* later, size_t ldb, const real* a, size_t lda, Vec (&sum)[N]) {
  Vec square[kLanes];
#pragma GCC unroll 16
  for (size_t i = 0; i < kLanes; ++i) {
    square[i] = load(b + i * ldb);
    __builtin_prefetch(later + i * ldb, 0, 2);
  }
  transpose_square(square);
#pragma GCC unroll 16
  for (size_t i = 0; i < kLanes; ++i)
#pragma GCC unroll 4
    for (size_t r = 0; r < N; ++r) sum[r] += square[i] * a[r * lda + i];
}

// The same of a square at an edge of B, of which so many columns of C and numbers of a row exist.
template <size_t N>
[[gnu::noinline]] static void gemv_edge(const real* b,
                                        size_t ldb,
                                        const real* a,
                                        size_t lda,
                                        size_t columns,
                                        size_t depth,
                                        Vec (&sum)[N]) {
  Vec square[kLanes] = {};
  for (size_t i = 0; i < columns; ++i) square[i] = load_first(b + i * ldb, depth);
  transpose_square(square);
  for (size_t i = 0; i < depth; ++i)
    for (size_t r = 0; r < N; ++r) sum[r] += square[i] * a[r * lda + i];
}

// N rows of C, `columns` from j on: products over [p, p + k), added to C or not.
template <size_t N>
[[gnu::noinline]] static void gemv_tile(
    const GemmArgs& args, size_t j, size_t columns, size_t p, size_t k, bool add) {
  const real *b = args.b + j * args.ldb + p, *a = args.a + p;
  const size_t ldb = args.ldb, lda = args.lda, whole = columns == kLanes ? k / kLanes * kLanes : 0;
  Vec sum[N] = {};
  // Behind the end of the rows come the beginnings of the next kLanes ones.
  const size_t next_rows = kLanes * ldb - args.k;
  for (size_t q = 0; q < whole; q += kLanes) {
    const real* later = b + q + kAhead + (p + q + kAhead < args.k ? 0 : next_rows);
    gemv_square(b + q, later, ldb, a + q, lda, sum);
  }
  for (size_t q = whole; q < k; q += kLanes)
    gemv_edge(b + q, ldb, a + q, lda, columns, smaller(k - q, kLanes), sum);
  for (size_t r = 0; r < N; ++r) {
    real* const c = args.c + r * args.ldc + j;
    store_first(c, add ? load_first(c, columns) + sum[r] : sum[r], columns);
  }
}

template <size_t... N>
static void gemv_tile(const GemmArgs& args,
                      size_t j,
                      size_t columns,
                      size_t p,
                      size_t k,
                      bool add,
                      std::index_sequence<N...>) {
  ((args.m == N + 1 ? gemv_tile<N + 1>(args, j, columns, p, k, add) : void()), ...);
}

// The sums are split where the blocked product splits them.
static void gemv(const GemmArgs& args) {
  const size_t depths = (args.k + kDepthBlock - 1) / kDepthBlock;
  for (size_t j = 0; j < args.n; j += kLanes)
    for (size_t d = 0; d < depths; ++d) {
      const size_t p = part(d, depths, args.k), end = part(d + 1, depths, args.k);
      gemv_tile(args, j, smaller(args.n - j, kLanes), p, end - p, d > 0 || args.beta != 0,
                std::make_index_sequence<kGemvRows>());
    }
}

}  // namespace matrix
