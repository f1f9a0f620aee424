// Part of table.cpp. int8 activations and their exact product with ternary weights.

namespace matrix {

#if defined(BITLAB_DOUBLE)
using RealInt = std::int64_t;
#else
using RealInt = std::int32_t;
#endif
using RealIntVec = RealInt __attribute__((vector_size(kVectorBytes)));  // as many lanes as Vec
using ByteVec = std::int8_t __attribute__((vector_size(kVectorBytes)));

// All lanes folded into each by `op`.
template <size_t kBlock, size_t... kLane>
static inline RealIntVec swap_lanes(RealIntVec x, std::index_sequence<kLane...>) {
  return __builtin_shufflevector(x, x, (kLane ^ kBlock)...);
}
template <size_t kBlock = kLanes / 2, class Op>
static inline RealInt fold_lanes(RealIntVec x, const Op& op) {
  x = op(x, swap_lanes<kBlock>(x, std::make_index_sequence<kLanes>()));
  if constexpr (kBlock > 1)
    return fold_lanes<kBlock / 2>(x, op);
  else
    return x[0];
}

// The largest |x|. Without the sign the order of values is that of their bits as integers, and inf
// and NaN come last, so NaN is never lost.
static inline real largest_magnitude(size_t n, const real* x) {
  constexpr RealInt kNoSign =
      sizeof(RealInt) == 8 ? RealInt(0x7fffffffffffffff) : RealInt(0x7fffffff);
  const auto larger = [](RealIntVec a, RealIntVec b) { return a > b ? a : b; };
  RealIntVec top = {};
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) top = larger(top, (RealIntVec)load(x + i) & kNoSign);
  if (i < n) top = larger(top, (RealIntVec)load_first(x + i, n - i) & kNoSign);
  return __builtin_bit_cast(real, fold_lanes(top, larger));
}

#if !defined(BITLAB_DOUBLE) && (defined(__SSE2__) || defined(__aarch64__))
// The nearest integers, half to even; and four vectors of such as bytes.
#if defined(__AVX512F__)
static inline RealIntVec nearest(Vec x) {
  return (RealIntVec)_mm512_maskz_cvtps_epi32(static_cast<__mmask16>(-1), x);
}
static inline ByteVec narrow(RealIntVec a, RealIntVec b, RealIntVec c, RealIntVec d) {
  const __m512i ab = _mm512_packs_epi32((__m512i)a, (__m512i)b);
  const __m512i cd = _mm512_packs_epi32((__m512i)c, (__m512i)d);
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return (ByteVec)_mm512_maskz_permutexvar_epi32(static_cast<__mmask16>(-1), order,
                                                 _mm512_packs_epi16(ab, cd));
}
#elif defined(__AVX2__)
static inline RealIntVec nearest(Vec x) { return (RealIntVec)_mm256_cvtps_epi32(x); }
static inline ByteVec narrow(RealIntVec a, RealIntVec b, RealIntVec c, RealIntVec d) {
  const __m256i ab = _mm256_packs_epi32((__m256i)a, (__m256i)b);
  const __m256i cd = _mm256_packs_epi32((__m256i)c, (__m256i)d);
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  return (ByteVec)_mm256_permutevar8x32_epi32(_mm256_packs_epi16(ab, cd), order);
}
#elif defined(__SSE2__)
static inline RealIntVec nearest(Vec x) { return (RealIntVec)_mm_cvtps_epi32(x); }
static inline ByteVec narrow(RealIntVec a, RealIntVec b, RealIntVec c, RealIntVec d) {
  return (ByteVec)_mm_packs_epi16(_mm_packs_epi32((__m128i)a, (__m128i)b),
                                  _mm_packs_epi32((__m128i)c, (__m128i)d));
}
#else
static inline RealIntVec nearest(Vec x) { return (RealIntVec)vcvtnq_s32_f32((float32x4_t)x); }
static inline ByteVec narrow(RealIntVec a, RealIntVec b, RealIntVec c, RealIntVec d) {
  const int16x8_t ab = vcombine_s16(vmovn_s32((int32x4_t)a), vmovn_s32((int32x4_t)b));
  const int16x8_t cd = vcombine_s16(vmovn_s32((int32x4_t)c), vmovn_s32((int32x4_t)d));
  return (ByteVec)vcombine_s8(vmovn_s16(ab), vmovn_s16(cd));
}
#endif

// codes = nearest(x s), |x s| <= 127 (1 + 2^-22), with zeros up to a multiple of kVectorBytes;
// returns their sum.
static inline std::int32_t round_row(size_t n, const real* x, real s, std::int8_t* codes) {
  RealIntVec sum = {};
  for (size_t i = 0; i < n; i += kVectorBytes) {
    RealIntVec code[4] = {};
#pragma GCC unroll 4
    for (size_t v = 0; v < 4; ++v) {
      const size_t at = i + v * kLanes;
      if (at + kLanes <= n)
        code[v] = nearest(load(x + at) * s);
      else if (at < n)
        code[v] = nearest(load_first(x + at, n - at) * s);
      sum += code[v];
    }
    store_as(codes + i, narrow(code[0], code[1], code[2], code[3]));
  }
  return fold_lanes(sum, [](RealIntVec a, RealIntVec b) { return a + b; });
}
#else
static inline std::int32_t round_row(size_t n, const real* x, real s, std::int8_t* codes) {
  std::int32_t sum = 0;
  for (size_t i = 0; i < n; ++i) {
    codes[i] = static_cast<std::int8_t>(std::nearbyint(x[i] * s));
    sum += codes[i];
  }
  for (size_t i = n; i < round_up(n, kVectorBytes); ++i) codes[i] = 0;
  return sum;
}
#endif

// A row with inf or NaN gets codes 0 and the step NaN: all that is computed from it is NaN.
static void quantize_rows(size_t rows,
                          size_t cols,
                          const real* x,
                          real eps,
                          std::int8_t* codes,
                          size_t stride,
                          real* step,
                          std::int32_t* sum) {
  constexpr real kMax = sizeof(real) == 4 ? real(__FLT_MAX__) : real(__DBL_MAX__);
  for (size_t r = 0; r < rows; ++r) {
    const real* row = x + r * cols;
    std::int8_t* out = codes + r * stride;
    const real top = largest_magnitude(cols, row);
    size_t filled = 0;
    if (top <= kMax) {
      const real s = smaller(real(127) / (top > eps ? top : eps), kMax);  // kMax: zeros with eps 0
      step[r] = real(1) / s;
      sum[r] = round_row(cols, row, s, out);
      filled = round_up(cols, kVectorBytes);
    } else {
      step[r] = real(NAN);
      sum[r] = 0;
    }
    if (filled < stride) std::memset(out + filled, 0, stride - filled);
  }
}

static void dequantize_rows(
    size_t rows, size_t cols, const std::int8_t* codes, size_t stride, const real* step, real* x) {
  for (size_t r = 0; r < rows; ++r) {
    const std::int8_t* in = codes + r * stride;
    real* out = x + r * cols;
    const real s = step[r];
#pragma omp simd
    for (size_t c = 0; c < cols; ++c) out[c] = in[c] * s;
  }
}

// Packed weights: 2 bits each, codes plus 1. Panels of kIntCols columns (rows of the weight
// matrix), in each the steps of kDepthStep along k one after the other, in a step the columns, in a
// column the step's codes: bits 2 s, 2 s + 1 of byte e are those of k = 4 s + e, so that a shift
// and a mask give 4 neighbours as bytes. Columns are padded to whole vectors and k to kDepthStep,
// with code 0 where it does not matter: there x is 0, or y is not stored.
constexpr size_t kIntLanes = kVectorBytes / 4, kIntCols = kTileVectors * kIntLanes, kDepthStep = 16;
using IntVec = std::int32_t __attribute__((vector_size(kVectorBytes)));
using ShortVec = std::int16_t __attribute__((vector_size(kVectorBytes)));

static size_t ternary_packed_size(size_t n, size_t k) {
  return round_up(n, kIntLanes) * round_up(k, kDepthStep) / 4;
}

static void ternary_pack(size_t n, size_t k, const std::int8_t* codes, std::uint8_t* packed) {
  constexpr ByteVec kOne = ByteVec{} + 1;
  const size_t depth = round_up(k, kDepthStep), columns = round_up(n, kIntLanes);
  std::int8_t edge[kIntLanes][kVectorBytes];
  for (size_t j = 0; j < columns; j += kIntLanes) {
    const size_t panel = j / kIntCols * kIntCols, width = smaller(columns - panel, kIntCols);
    for (size_t p = 0; p < depth; p += kVectorBytes) {
      const std::int8_t* in = codes + j * k + p;
      size_t stride = k;
      if (n - j < kIntLanes || k - p < kVectorBytes) {
        std::memset(edge, 0, sizeof edge);
        for (size_t i = 0; i < smaller(n - j, kIntLanes) && p < k; ++i)
          std::memcpy(edge[i], in + i * k, smaller(k - p, kVectorBytes));
        in = edge[0];
        stride = kVectorBytes;
      }
      IntVec block[kIntLanes];
#pragma GCC unroll 16
      for (size_t i = 0; i < kIntLanes; ++i)
        block[i] = (IntVec)(load_as<ByteVec>(in + i * stride) + kOne);
      transpose_square(block);
      std::uint8_t* out = packed + (panel * depth + p * width) / 4 + (j - panel) * 4;
#pragma GCC unroll 4
      for (size_t g = 0; g < kIntLanes; g += 4)
        if (p + 4 * g < depth)
          store_as(out + g * width,
                   block[g] | block[g + 1] << 2 | block[g + 2] << 4 | block[g + 3] << 6);
    }
  }
}

static void ternary_unpack(size_t n, size_t k, const std::uint8_t* packed, std::int8_t* codes) {
  const size_t depth = round_up(k, kDepthStep), columns = round_up(n, kIntLanes);
  for (size_t j = 0; j < n; ++j) {
    const size_t panel = j / kIntCols * kIntCols, width = smaller(columns - panel, kIntCols);
    const std::uint8_t* in = packed + panel * depth / 4 + (j - panel) * 4;
    for (size_t p = 0; p < k; p += kDepthStep, in += 4 * width) {
      std::uint32_t bits, step[kDepthStep / 4];
      std::memcpy(&bits, in, 4);
      // Each byte is 0, 1 or 2, and becomes one less; the bit above keeps it from the next one's.
      for (size_t s = 0; s < kDepthStep / 4; ++s)
        step[s] = (((bits >> (2 * s) & 0x03030303u) | 0x80808080u) - 0x01010101u) ^ 0x80808080u;
      std::memcpy(codes + j * k + p, step, smaller(k - p, kDepthStep));
    }
  }
}

// Sums of products of 4 codes: DotSum dot4(sum, w, x) adds those of kSteps at most before
// widen(sum).
#if defined(__AVX512VNNI__)
constexpr size_t kSteps = size_t(1) << 40;
using DotSum = IntVec;
static inline DotSum dot4(DotSum sum, IntVec w, IntVec x) {
  return (DotSum)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)w, (__m512i)x);
}
static inline IntVec widen(DotSum sum) { return sum; }
#elif defined(__SSSE3__)
// Pairs in int16: one product of two is within 2 * 2 * [-128, 127], so 64 of them, 16 steps, are
// within [-32768, 32512].
constexpr size_t kSteps = 16;
using DotSum = ShortVec;
static inline DotSum dot4(DotSum sum, IntVec w, IntVec x) {
#if defined(__AVX2__)
  return sum + (DotSum)_mm256_maddubs_epi16((__m256i)w, (__m256i)x);
#else
  return sum + (DotSum)_mm_maddubs_epi16((__m128i)w, (__m128i)x);
#endif
}
static inline IntVec widen(DotSum sum) {
#if defined(__AVX2__)
  return (IntVec)_mm256_madd_epi16((__m256i)sum, _mm256_set1_epi16(1));
#else
  return (IntVec)_mm_madd_epi16((__m128i)sum, _mm_set1_epi16(1));
#endif
}
#elif defined(__ARM_FEATURE_DOTPROD)
constexpr size_t kSteps = size_t(1) << 40;
using DotSum = IntVec;
static inline DotSum dot4(DotSum sum, IntVec w, IntVec x) {
  // w is 0, 1 or 2: signed will do.
  return (DotSum)vdotq_s32((int32x4_t)sum, (int8x16_t)w, (int8x16_t)x);
}
static inline IntVec widen(DotSum sum) { return sum; }
#else
constexpr size_t kSteps = size_t(1) << 40;
using DotSum = IntVec;
static inline DotSum dot4(DotSum sum, IntVec w, IntVec x) {
#pragma GCC unroll 4
  for (int e = 0; e < 4; ++e) sum += (w >> (8 * e) & 255) * (x << (24 - 8 * e) >> 24);
  return sum;
}
static inline IntVec widen(DotSum sum) { return sum; }
#endif

// y = x * (step * scale) + bias for the first `count` columns of a vector.
static inline void store_scaled(
    IntVec x, real step, const real* scale, const real* bias, real* y, size_t count) {
#if defined(BITLAB_DOUBLE)
  for (size_t j = 0; j < count; ++j) y[j] = x[j] * (step * scale[j]) + (bias ? bias[j] : 0);
#else
  if (count == kLanes) {
    const Vec scaled = __builtin_convertvector(x, Vec) * (load(scale) * step);
    store(y, bias ? scaled + load(bias) : scaled);
  } else {
    const Vec scaled = __builtin_convertvector(x, Vec) * (load_first(scale, count) * step);
    store_first(y, bias ? scaled + load_first(bias, count) : scaled, count);
  }
#endif
}

// One tile of y: kRows rows, kVectors vectors of columns of which `width` are stored.
struct TernaryTile {
  const TernaryGemmArgs& args;
  size_t row, column, width;
  size_t steps;           // of kDepthStep along k
  const std::uint8_t* w;  // panel
};

template <size_t kRows, size_t kVectors>
static void ternary_tile(const TernaryTile& tile) {
  // Few rows wait for the latency of their own sums: they get several sums each. Integers add in
  // any order.
  constexpr size_t kSums = kRows * kVectors >= 8 ? 1 : (kRows * kVectors >= 4 ? 2 : 4);
  const size_t stride = tile.args.x_stride;
  const std::int8_t* x[(kRows + 2) / 3];
#pragma GCC unroll 8
  for (size_t i = 0; i < (kRows + 2) / 3; ++i) x[i] = tile.args.x + (tile.row + 3 * i) * stride;
  const std::uint8_t* w = tile.w;
  IntVec total[kRows][kVectors] = {};
  for (size_t first = 0; first < tile.steps; first += kSteps) {
    const size_t left = tile.steps - first, steps = left < kSteps ? left : kSteps;
    DotSum sums[kSums][kRows][kVectors] = {};
    for (size_t step = 0; step < steps; ++step) {
      IntVec packed[kVectors];
#pragma GCC unroll 4
      for (size_t v = 0; v < kVectors; ++v) packed[v] = load_as<IntVec>(w + v * kVectorBytes);
      w += kVectors * kVectorBytes;
#pragma GCC unroll 4
      for (size_t s = 0; s < 4; ++s) {
        IntVec columns[kVectors];
#pragma GCC unroll 4
        for (size_t v = 0; v < kVectors; ++v) columns[v] = packed[v] >> (2 * s) & 0x03030303;
#pragma GCC unroll 16
        for (size_t i = 0; i < kRows; ++i) {
          std::int32_t four;
          std::memcpy(&four, x[i / 3] + i % 3 * stride + 4 * s, 4);
#pragma GCC unroll 4
          for (size_t v = 0; v < kVectors; ++v)
            sums[s % kSums][i][v] = dot4(sums[s % kSums][i][v], columns[v], four - IntVec{});
        }
      }
#pragma GCC unroll 8
      for (size_t i = 0; i < (kRows + 2) / 3; ++i) x[i] += kDepthStep;
    }
#pragma GCC unroll 16
    for (size_t i = 0; i < kRows; ++i)
#pragma GCC unroll 4
      for (size_t v = 0; v < kVectors; ++v)
#pragma GCC unroll 4
        for (size_t s = 0; s < kSums; ++s) total[i][v] += widen(sums[s][i][v]);
  }
#pragma GCC unroll 16
  for (size_t i = 0; i < kRows; ++i) {
    const std::int32_t sum = tile.args.x_sum[tile.row + i];
    const real step = tile.args.x_step[tile.row + i];
#pragma GCC unroll 4
    for (size_t v = 0; v < kVectors; ++v) {
      const size_t at = tile.column + v * kIntLanes, left = tile.width - v * kIntLanes;
      store_scaled(total[i][v] - sum, step, tile.args.w_scale + at,
                   tile.args.bias ? tile.args.bias + at : nullptr,
                   tile.args.y + (tile.row + i) * tile.args.n + at, smaller(left, kIntLanes));
    }
  }
}

using TernaryTileFunction = void (*)(const TernaryTile&);

template <size_t... kIndex>
static TernaryTileFunction find_ternary_tile(size_t rows,
                                             size_t vectors,
                                             std::index_sequence<kIndex...>) {
  static constexpr TernaryTileFunction functions[] = {
      ternary_tile<kIndex / kTileVectors + 1, kIndex % kTileVectors + 1>...};
  return functions[(rows - 1) * kTileVectors + vectors - 1];
}

// Sums are int32, at most 2 * 128 * k before the sum of x is taken off: exact for k up to 2^22.
static void ternary_gemm(const TernaryGemmArgs& args) {
  constexpr size_t kBlockBytes =
      kVectorBytes == 64 ? 768 * 1024 : 384 * 1024;  // of w, in the L2 cache
  const size_t depth = round_up(args.k, kDepthStep);
  const size_t tiles = (args.m + kTileRows - 1) / kTileRows;
  const size_t cols = round_up(4 * kBlockBytes / (depth + 1) + 1, kIntCols);
  for (size_t block = 0; block < args.n; block += cols)
    for (size_t t = 0; t < tiles; ++t) {
      const size_t row = part(t, tiles, args.m), rows = part(t + 1, tiles, args.m) - row;
      for (size_t j = block; j < args.n && j < block + cols; j += kIntCols) {
        const size_t width = smaller(args.n - j, kIntCols);
        find_ternary_tile(rows, (width + kIntLanes - 1) / kIntLanes,
                          std::make_index_sequence<kTileRows * kTileVectors>())(
            {args, row, j, width, depth / kDepthStep, args.w + j * depth / 4});
      }
    }
}

}  // namespace matrix

using matrix::dequantize_rows;
using matrix::quantize_rows;
using matrix::ternary_gemm;
using matrix::ternary_pack;
using matrix::ternary_packed_size;
using matrix::ternary_unpack;
