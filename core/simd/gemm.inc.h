// Part of table.cpp. Matrix product: blocks of A and B that stay in cache, around a register tile
// of C.
#include "core/simd/gemm_tile.inc.h"

namespace matrix {

// B is packed in blocks of kDepthBlock x kColumnBlock at most, which stay in the L2 cache (768 KiB
// with AVX-512, else 384 KiB), while a panel of A, kDepthBlock x kTileRows, stays in the L1 cache.
// kDepthBlock decides where sums are split, so it is the same for all instruction sets.
constexpr size_t kDepthBlock = 256;
constexpr size_t kColumnBlock = kVectorBytes == 64 ? 768 : 384;
constexpr size_t kTilesPacked = kVectorBytes == 64 ? 4 : 16;  // tiles of A packed at once

// Memory that only grows, aligned to vectors: nothing is allocated after the first call of a size.
class Scratch {
 public:
  ~Scratch() { std::free(data_); }
  real* get(size_t size) {
    if (size > size_) {
      std::free(data_);
      size_ = (size + 1023) / 1024 * 1024;
      data_ = static_cast<real*>(std::aligned_alloc(kVectorBytes, size_ * sizeof(real)));
      if (!data_) {
        size_ = 0;
        throw std::bad_alloc();
      }
    }
    return data_;
  }

 private:
  real* data_ = nullptr;
  size_t size_ = 0;
};
static thread_local Scratch b_panels, a_panels;

// Where part i of n begins when `size` things are shared out evenly.
static inline size_t part(size_t i, size_t n, size_t size) { return i * size / n; }

static inline size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }
template <class T>
static inline T smaller(T a, T b) {
  return a < b ? a : b;
}

// Transposes a square of lanes: lane bits and row bits are exchanged one by one.
template <size_t kBlock, class V, size_t... kLane>
static inline void exchange_lanes(V& x, V& y, std::index_sequence<kLane...>) {
  constexpr size_t kN = sizeof...(kLane);
  const V low = __builtin_shufflevector(x, y, (kLane & kBlock ? kN + kLane - kBlock : kLane)...);
  y = __builtin_shufflevector(x, y, (kLane & kBlock ? kN + kLane : kLane + kBlock)...);
  x = low;
}
template <class V, size_t kN, size_t kBlock = kN / 2>
[[gnu::always_inline]] static inline void transpose_square(V (&rows)[kN]) {
#pragma GCC unroll 16
  for (size_t i = 0; i < kN; ++i)
    if (!(i & kBlock))
      exchange_lanes<kBlock>(rows[i], rows[i + kBlock], std::make_index_sequence<kN>());
  if constexpr (kBlock > 1) transpose_square<V, kN, kBlock / 2>(rows);
}

// out[j * out_stride + i] = in[i * in_stride + j] for i < rows, j < cols; rows up to kLanes are
// filled with 0.
static inline void transpose_block(
    size_t rows, size_t cols, const real* in, size_t in_stride, real* out, size_t out_stride) {
  Vec block[kLanes];
  if (cols == kLanes) {
#pragma GCC unroll 16
    for (size_t i = 0; i < kLanes; ++i) block[i] = i < rows ? load(in + i * in_stride) : Vec{};
    transpose_square(block);
#pragma GCC unroll 16
    for (size_t j = 0; j < kLanes; ++j) store(out + j * out_stride, block[j]);
  } else {
#pragma GCC unroll 16
    for (size_t i = 0; i < kLanes; ++i)
      block[i] = i < rows ? load_first(in + i * in_stride, cols) : Vec{};
    transpose_square(block);
#pragma GCC unroll 16
    for (size_t j = 0; j < kLanes; ++j)
      if (j < cols) store(out + j * out_stride, block[j]);
  }
}

// One panel: out[p * out_stride + i] = element (i, p) of a matrix, for i < width and p < k, with
// zeros up to whole vectors. The element is x[p * stride + i], or x[i * stride + p] if `across`.
static void pack_panel(bool across,
                       size_t width,
                       size_t k,
                       const real* x,
                       size_t stride,
                       real* out,
                       size_t out_stride) {
  for (size_t v = 0; v < width; v += kLanes) {
    const size_t lanes = smaller(width - v, kLanes);
    if (across) {
      for (size_t p = 0; p < k; p += kLanes)
        transpose_block(lanes, smaller(k - p, kLanes), x + v * stride + p, stride,
                        out + p * out_stride + v, out_stride);
    } else if (lanes == kLanes) {
      for (size_t p = 0; p < k; ++p) store(out + p * out_stride + v, load(x + p * stride + v));
    } else {
      for (size_t p = 0; p < k; ++p)
        store(out + p * out_stride + v, load_first(x + p * stride + v, lanes));
    }
  }
}

// Columns [j, j + cols) of rows [p, p + k) of op(B) as panels of kTileCols columns; panel v begins
// at v * k.
static void pack_b(const GemmArgs& args, size_t p, size_t k, size_t j, size_t cols, real* out) {
  const size_t step = args.trans_b ? k : 8;  // rows that are contiguous in memory are read along
  for (size_t first = 0; first < k; first += step)
    for (size_t v = 0; v < cols; v += kTileCols) {
      const size_t width = smaller(cols - v, kTileCols), stride = round_up(width, kLanes);
      if (!args.trans_b)  // the rows of the next step: too far apart for the processor to foresee
        for (size_t next = first + step; next < smaller(first + 2 * step, k); ++next)
          __builtin_prefetch(args.b + (p + next) * args.ldb + j + v, 0, 2);
      const size_t row = p + first, column = j + v;
      pack_panel(args.trans_b, width, smaller(k - first, step),
                 args.b + (args.trans_b ? column * args.ldb + row : row * args.ldb + column),
                 args.ldb, out + v * k + first * stride, stride);
    }
}

// The panels of tiles [t, t + kTilesPacked) of a transposed A, a_size apart.
static void pack_a(
    const GemmArgs& args, size_t p, size_t k, size_t t, size_t tiles, real* out, size_t a_size) {
  constexpr size_t kStep = 8;  // the tiles are neighbours in memory: a few rows of all of them
  for (size_t first = 0; first < k; first += kStep)
    for (size_t i = t; i < tiles && i < t + kTilesPacked; ++i) {
      const size_t row = part(i, tiles, args.m), rows = part(i + 1, tiles, args.m) - row;
      const size_t stride = round_up(rows, kLanes);
      pack_panel(false, rows, smaller(k - first, kStep), args.a + (p + first) * args.lda + row,
                 args.lda, out + (i - t) * a_size + first * stride, stride);
    }
}

// The product of all rows of A with one block of B: rows of B [p, p + k), columns [j, j + cols).
static void gemm_block(const GemmArgs& args, size_t p, size_t k, size_t j, size_t cols) {
  // Columns of B that are read where they are: packing pays for itself over many rows only.
  const size_t in_place =
      !args.trans_b && args.m <= 10 * kTileRows ? cols / kTileCols * kTileCols : 0;
  const real* b_place = args.b + p * args.ldb + j;
  real* b = b_panels.get(round_up(cols - in_place, kLanes) * k);
  pack_b(args, p, k, j + in_place, cols - in_place, b);
  // A is read in place, but transposed its rows are far apart, so there packing pays soon.
  const bool packed = args.trans_a && args.n > 64;
  const size_t a_size = round_up(kTileRows, kLanes) * k;
  real* a_packed = packed ? a_panels.get(kTilesPacked * a_size) : nullptr;
  const size_t tiles = (args.m + kTileRows - 1) / kTileRows;
  for (size_t t = 0; t < tiles; ++t) {
    const size_t row = part(t, tiles, args.m), rows = part(t + 1, tiles, args.m) - row;
    const real* a = args.a + (args.trans_a ? p * args.lda + row : row * args.lda + p);
    size_t a_stride = args.lda;
    if (packed) {
      if (t % kTilesPacked == 0) pack_a(args, p, k, t, tiles, a_packed, a_size);
      a = a_packed + t % kTilesPacked * a_size;
      a_stride = round_up(rows, kLanes);
    }
    for (size_t v = 0; v < cols; v += kTileCols) {
      const size_t width = smaller(cols - v, kTileCols);
      const size_t vectors = (width + kLanes - 1) / kLanes;
      const GemmTile tile = {.k = k,
                             .a = a,
                             .a_stride = a_stride,
                             .b = v < in_place ? b_place + v : b + (v - in_place) * k,
                             .b_stride = v < in_place ? args.ldb : vectors * kLanes,
                             .add = p > 0 || args.beta != 0,
                             .c = args.c + row * args.ldc + j + v,
                             .ldc = args.ldc,
                             .last_lanes = width - (vectors - 1) * kLanes};
      (args.trans_a ? find_gemm_tile<true>(rows, vectors)
                    : find_gemm_tile<false>(rows, vectors))(tile);
    }
  }
}

}  // namespace matrix

#include "core/simd/gemv.inc.h"

namespace matrix {

static void gemm(const GemmArgs& args) {
  if (args.m == 0 || args.n == 0) return;
  if (args.k == 0 && args.beta == 0)
    for (size_t i = 0; i < args.m; ++i)
      std::memset(args.c + i * args.ldc, 0, args.n * sizeof(real));
  if (args.k > 0 && args.trans_b && !args.trans_a && args.m <= kGemvRows) return gemv(args);
  const size_t depths = (args.k + kDepthBlock - 1) / kDepthBlock;
  const size_t blocks = (args.n + kColumnBlock - 1) / kColumnBlock;
  const size_t cols = round_up((args.n + blocks - 1) / blocks, kTileCols);
  for (size_t j = 0; j < args.n; j += cols)
    for (size_t d = 0; d < depths; ++d) {
      const size_t p = part(d, depths, args.k), end = part(d + 1, depths, args.k);
      gemm_block(args, p, end - p, j, smaller(args.n - j, cols));
    }
}

}  // namespace matrix

using matrix::gemm;
