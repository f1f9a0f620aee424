// Part of table.cpp. Matrix product: blocks of A and B that stay in cache, around a register tile of C.
#include "core/simd/gemm_tile.inc.h"

namespace matrix {

constexpr size_t kDepthBlock = 256;        // a panel of B, kDepthBlock x kTileCols, stays in the L1 cache
constexpr size_t kColumnBlock = 1024;      // columns of B packed at once
constexpr size_t kTilesPerBlock = 16;      // rows of tiles of A that stay in the L2 cache

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

// Rows become columns. On the way, lane bits and row bits are exchanged one by one.
template <size_t kBlock, size_t... kLane>
static inline void exchange_lanes(Vec& x, Vec& y, std::index_sequence<kLane...>) {
  const Vec low =
      __builtin_shufflevector(x, y, (kLane & kBlock ? kLanes + kLane - kBlock : kLane)...);
  y = __builtin_shufflevector(x, y, (kLane & kBlock ? kLanes + kLane : kLane + kBlock)...);
  x = low;
}
template <size_t kBlock>
static inline void transpose_stage(Vec (&rows)[kLanes]) {
#pragma GCC unroll 16
  for (size_t i = 0; i < kLanes; ++i)
    if (!(i & kBlock))
      exchange_lanes<kBlock>(rows[i], rows[i + kBlock], std::make_index_sequence<kLanes>());
  if constexpr (kBlock > 1) transpose_stage<kBlock / 2>(rows);
}

// out[j * out_stride + i] = in[i * in_stride + j] for i < rows, j < cols; rows up to kLanes are filled with 0.
static inline void transpose_block(size_t rows, size_t cols, const real* in, size_t in_stride, real* out,
                                   size_t out_stride) {
  Vec block[kLanes];
  if (rows == kLanes && cols == kLanes) {
#pragma GCC unroll 16
    for (size_t i = 0; i < kLanes; ++i) block[i] = load(in + i * in_stride);
    transpose_stage<kLanes / 2>(block);
#pragma GCC unroll 16
    for (size_t j = 0; j < kLanes; ++j) store(out + j * out_stride, block[j]);
  } else {
    for (size_t i = 0; i < kLanes; ++i)
      block[i] = i < rows ? load_first(in + i * in_stride, cols) : Vec{};
    transpose_stage<kLanes / 2>(block);
    for (size_t j = 0; j < cols; ++j) store(out + j * out_stride, block[j]);
  }
}

// Columns [0, cols) of op(B), k rows deep, as panels of kTileCols columns: row after row, each padded with
// zeros to whole vectors. Panel j begins at out + j * k * kTileCols.
static void pack_b(bool transposed, size_t k, size_t cols, const real* b, size_t ldb, real* out) {
  for (size_t j = 0; j < cols; j += kTileCols) {
    const size_t width = cols - j < kTileCols ? cols - j : kTileCols;
    const size_t stride = (width + kLanes - 1) / kLanes * kLanes;
    for (size_t v = 0; v < width; v += kLanes) {
      const size_t lanes = width - v < kLanes ? width - v : kLanes;
      if (transposed) {
        for (size_t p = 0; p < k; p += kLanes)
          transpose_block(lanes, k - p < kLanes ? k - p : kLanes, b + (j + v) * ldb + p, ldb,
                          out + j * k + p * stride + v, stride);
      } else if (lanes == kLanes) {
        for (size_t p = 0; p < k; ++p)
          store(out + j * k + p * stride + v, load(b + p * ldb + j + v));
      } else {
        for (size_t p = 0; p < k; ++p)
          store(out + j * k + p * stride + v, load_first(b + p * ldb + j + v, lanes));
      }
    }
  }
}

// What does not change while one packed block of B is used.
struct GemmBlock {
  const GemmArgs& args;
  size_t p, k;     // depth
  size_t j, cols;  // columns
  const real* b;   // packed
};

static void gemm_block(const GemmBlock& block) {
  const GemmArgs& args = block.args;
  const size_t tiles = (args.m + kTileRows - 1) / kTileRows;
  for (size_t first = 0; first < tiles; first += kTilesPerBlock) {
    const size_t last = first + kTilesPerBlock < tiles ? first + kTilesPerBlock : tiles;
    for (size_t j = 0; j < block.cols; j += kTileCols) {
      const size_t width = block.cols - j < kTileCols ? block.cols - j : kTileCols;
      const size_t vectors = (width + kLanes - 1) / kLanes;
      for (size_t t = first; t < last; ++t) {
        const size_t i = part(t, tiles, args.m), rows = part(t + 1, tiles, args.m) - i;
        const GemmTile tile = {
            .k = block.k,
            .a = args.a + (args.trans_a ? block.p * args.lda + i : i * args.lda + block.p),
            .a_stride = args.lda,
            .b = block.b + j * block.k,
            .b_stride = vectors * kLanes,
            .add = block.p > 0 || args.beta != 0,
            .c = args.c + i * args.ldc + block.j + j,
            .ldc = args.ldc,
            .last_lanes = width - (vectors - 1) * kLanes};
        (args.trans_a ? find_gemm_tile<true>(rows, vectors) : find_gemm_tile<false>(rows, vectors))(
            tile);
      }
    }
  }
}

static void gemm(const GemmArgs& args) {
  if (args.k == 0 && args.beta == 0)
    for (size_t i = 0; i < args.m; ++i)
      for (size_t j = 0; j < args.n; ++j) args.c[i * args.ldc + j] = 0;
  const size_t depths = (args.k + kDepthBlock - 1) / kDepthBlock;
  for (size_t j = 0; j < args.n; j += kColumnBlock) {
    const size_t cols = args.n - j < kColumnBlock ? args.n - j : kColumnBlock;
    for (size_t d = 0; d < depths; ++d) {
      const size_t p = part(d, depths, args.k), k = part(d + 1, depths, args.k) - p;
      real* b = b_panels.get((cols + kLanes - 1) / kLanes * kLanes * k);
      pack_b(args.trans_b, k, cols,
             args.b + (args.trans_b ? j * args.ldb + p : p * args.ldb + j), args.ldb, b);
      gemm_block({args, p, k, j, cols, b});
    }
  }
}

}  // namespace matrix

using matrix::gemm;
