// Part of table.cpp. Vectors and the register tile of the matrix product, one source for all
// widths.

namespace matrix {

// The tile of C that stays in registers: kTileRows rows of kTileVectors vectors. Accumulators, the
// vectors of B and one broadcast of A fill the register file, and nothing spills.
#if defined(__AVX512F__)
constexpr size_t kVectorBytes = 64, kTileRows = 14, kTileVectors = 2;
#elif defined(__AVX2__)
constexpr size_t kVectorBytes = 32, kTileRows = 6, kTileVectors = 2;
#elif defined(__aarch64__)
constexpr size_t kVectorBytes = 16, kTileRows = 7, kTileVectors = 3;
#else
constexpr size_t kVectorBytes = 16, kTileRows = 6, kTileVectors = 2;
#endif
constexpr size_t kLanes = kVectorBytes / sizeof(real);
constexpr size_t kTileCols = kTileVectors * kLanes;

using Vec = real __attribute__((vector_size(kVectorBytes)));

// Vectors in memory need no alignment.
template <class V>
static inline V load_as(const void* x) {
  V v;
  std::memcpy(&v, x, sizeof v);
  return v;
}
template <class V>
static inline void store_as(void* x, V v) {
  std::memcpy(x, &v, sizeof v);
}
static inline Vec load(const real* x) { return load_as<Vec>(x); }
static inline void store(real* x, Vec v) { store_as(x, v); }

// The first `count` lanes only, 0 < count <= kLanes; the others are 0, and their memory is not
// touched.
#if defined(__AVX512F__) && !defined(BITLAB_DOUBLE)
static inline __mmask16 first_lanes(size_t count) {
  return static_cast<__mmask16>((1u << count) - 1);
}
static inline Vec load_first(const real* x, size_t count) {
  return _mm512_maskz_loadu_ps(first_lanes(count), x);
}
static inline void store_first(real* x, Vec v, size_t count) {
  _mm512_mask_storeu_ps(x, first_lanes(count), v);
}
#elif defined(__AVX2__) && !defined(BITLAB_DOUBLE)
static inline __m256i first_lanes(size_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
static inline Vec load_first(const real* x, size_t count) {
  return _mm256_maskload_ps(x, first_lanes(count));
}
static inline void store_first(real* x, Vec v, size_t count) {
  _mm256_maskstore_ps(x, first_lanes(count), v);
}
#else
static inline Vec load_first(const real* x, size_t count) {
  Vec v = {};
  for (size_t i = 0; i < count; ++i) v[i] = x[i];
  return v;
}
static inline void store_first(real* x, Vec v, size_t count) {
  for (size_t i = 0; i < count; ++i) x[i] = v[i];
}
#endif

// One tile of C. Element (i, p) of A is a[i + p * a_stride] if kAdjacent, else a[i * a_stride + p].
struct GemmTile {
  size_t k;
  const real* a;
  size_t a_stride;
  const real* b;  // k rows of kVectors vectors, b_stride apart
  size_t b_stride;
  bool add;  // C += A B, else C = A B
  real* c;
  size_t ldc;
  size_t last_lanes;  // columns of C in the last vector, 1 .. kLanes
};

template <bool kAdd, bool kWhole, size_t kRows, size_t kVectors>
[[gnu::always_inline]] static inline void store_tile(const Vec (&acc)[kRows][kVectors],
                                                     real* c,
                                                     size_t ldc,
                                                     size_t last_lanes) {
#pragma GCC unroll 16
  for (size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (size_t v = 0; v < kVectors; ++v) {
      real* to = c + i * ldc + v * kLanes;
      if (kWhole || v + 1 < kVectors) {
        store(to, kAdd ? load(to) + acc[i][v] : acc[i][v]);
      } else {
        store_first(to, kAdd ? load_first(to, last_lanes) + acc[i][v] : acc[i][v], last_lanes);
      }
    }
  }
}

// Every element of C is the sum over p in order, one fused multiply-add each, whatever the tile: so
// a row's bits depend neither on m nor on n.
template <size_t kRows, size_t kVectors, bool kAdjacent>
static void gemm_tile(const GemmTile& args) {
  const GemmTile tile = args;  // a copy that stores to C cannot alias
  Vec acc[kRows][kVectors] = {};
  const real* b = tile.b;
  if (tile.add)  // C may have left the near caches since the last block of k
    for (size_t i = 0; i < kRows; ++i)
      for (size_t byte = 0; byte < kVectors * kVectorBytes; byte += 64)
        __builtin_prefetch(tile.c + i * tile.ldc + byte / sizeof(real));
  // One pointer for three rows: a multiple 0, 1, 2 of the stride fits the addressing modes.
  const real* a[(kRows + 2) / 3];
#pragma GCC unroll 8
  for (size_t i = 0; i < (kRows + 2) / 3; ++i)
    a[i] = tile.a + (kAdjacent ? 0 : 3 * i * tile.a_stride);
#pragma GCC unroll 2
  for (size_t p = 0; p < tile.k; ++p) {
    Vec columns[kVectors];
#pragma GCC unroll 4
    for (size_t v = 0; v < kVectors; ++v) columns[v] = load(b + v * kLanes);
#pragma GCC unroll 16
    for (size_t i = 0; i < kRows; ++i) {
      const real x = kAdjacent ? a[0][i] : a[i / 3][i % 3 * tile.a_stride];
#pragma GCC unroll 4
      for (size_t v = 0; v < kVectors; ++v) acc[i][v] += columns[v] * x;
    }
#pragma GCC unroll 4
    for (size_t byte = 0; byte < kVectors * kVectorBytes; byte += 64)
      __builtin_prefetch(b + 8 * tile.b_stride + byte / sizeof(real));
    b += tile.b_stride;
    if constexpr (kAdjacent) {
      a[0] += tile.a_stride;
    } else {
#pragma GCC unroll 8
      for (size_t i = 0; i < (kRows + 2) / 3; ++i) ++a[i];
    }
  }
  if (tile.last_lanes == kLanes) {
    if (tile.add)
      store_tile<true, true>(acc, tile.c, tile.ldc, kLanes);
    else
      store_tile<false, true>(acc, tile.c, tile.ldc, kLanes);
  } else {
    if (tile.add)
      store_tile<true, false>(acc, tile.c, tile.ldc, tile.last_lanes);
    else
      store_tile<false, false>(acc, tile.c, tile.ldc, tile.last_lanes);
  }
}

using GemmTileFunction = void (*)(const GemmTile&);

// gemm_tile for a number of rows and vectors that is known at run time only.
template <bool kAdjacent, size_t... kIndex>
static GemmTileFunction find_gemm_tile(size_t rows,
                                       size_t vectors,
                                       std::index_sequence<kIndex...>) {
  static constexpr GemmTileFunction functions[] = {
      gemm_tile<kIndex / kTileVectors + 1, kIndex % kTileVectors + 1, kAdjacent>...};
  return functions[(rows - 1) * kTileVectors + vectors - 1];
}
template <bool kAdjacent>
static GemmTileFunction find_gemm_tile(size_t rows, size_t vectors) {
  return find_gemm_tile<kAdjacent>(rows, vectors,
                                   std::make_index_sequence<kTileRows * kTileVectors>());
}

}  // namespace matrix
