// Part of table.cpp. What the attention loops are made of: vectors as wide as the table's
// registers, exp2 and log on them, transposition, and register-tiled products. One
// source for every instruction set: compilers' vector extensions, no intrinsics.

#pragma once

namespace attention {

#if defined(__AVX512F__)
constexpr size_t kVectorBytes = 64;
constexpr int kRows = 8;  // a tile of sums is 8 rows x 2 vectors: 16 of 32 registers
#elif defined(__AVX2__)
constexpr size_t kVectorBytes = 32;
constexpr int kRows = 4;  // 8 of 16 registers
#else
constexpr size_t kVectorBytes = 16;
constexpr int kRows = 4;
#endif
constexpr int kLanes = kVectorBytes / sizeof(real);

typedef real Vec __attribute__((vector_size(kVectorBytes)));
typedef real LooseVec __attribute__((vector_size(kVectorBytes), aligned(sizeof(real)), may_alias));
using Int = std::conditional_t<sizeof(real) == 4, std::int32_t, std::int64_t>;
typedef Int IntVec __attribute__((vector_size(kVectorBytes)));
typedef std::make_unsigned_t<Int> UintVec __attribute__((vector_size(kVectorBytes)));
using AllLanes = std::make_integer_sequence<int, kLanes>;

[[gnu::always_inline]] static inline Vec load(const real* p) {
  return *reinterpret_cast<const LooseVec*>(p);
}
[[gnu::always_inline]] static inline void store(real* p, Vec x) {
  *reinterpret_cast<LooseVec*>(p) = x;
}
[[gnu::always_inline]] static inline Vec splat(real x) { return x - Vec{}; }
// The second operand where either is NaN.
[[gnu::always_inline]] static inline Vec larger(Vec a, Vec b) {
#if defined(__AVX512F__) && !defined(BITLAB_DOUBLE)
  return _mm512_maskz_max_ps(0xFFFF, a, b);  // compilers spend two instructions on the line below
#elif defined(__AVX2__) && !defined(BITLAB_DOUBLE)
  return _mm256_max_ps(a, b);
#else
  return a > b ? a : b;
#endif
}

template <int... I>
[[gnu::always_inline]] static inline IntVec iota(std::integer_sequence<int, I...>) {
  return IntVec{I...};
}

// 2^x to 1 ulp for x <= 127; 0 below -126.5. NaN stays NaN. 2^x = 2^n 2^f with n the nearest
// integer and 2^f = 1 + f g(f), g by interpolation at Chebyshev nodes of [-1/2, 1/2] (relative
// error 5e-9). Adding the shifter rounds to an integer and leaves n + 127, the exponent of 2^n, in
// the low bits.
[[gnu::always_inline]] static inline Vec exp2_of(Vec x) {
  if constexpr (sizeof(real) == 8) {
    for (int i = 0; i < kLanes; ++i) x[i] = std::exp2(x[i]);
    return x;
  } else {
    const real shifter = 12582912 + 127;  // 1.5 * 2^23 + 127
    x = larger(splat(-127), x);
    const Vec biased = x + shifter;
    const Vec f = x - (biased - shifter);
    Vec g = f * real(0.000154531634) + real(0.00133908633);
    g = g * f + real(0.00961808302);
    g = g * f + real(0.0555035695);
    g = g * f + real(0.240226507);
    g = g * f + real(0.693147182);
    g = g * f + real(1);
    return g * reinterpret_cast<Vec>(reinterpret_cast<IntVec>(biased) << 23);
  }
}

// ln x for normal x > 0; NaN and infinity give NaN. x = 2^n (1 + t) with 1 + t in [sqrt(1/2), sqrt
// 2) and ln(1 + t) = t h(t), h by interpolation at Chebyshev nodes (error 1e-8).
[[gnu::always_inline]] static inline Vec log_of(Vec x) {
  if constexpr (sizeof(real) == 8) {
    for (int i = 0; i < kLanes; ++i) x[i] = std::log(x[i]);
    return x;
  } else {
    constexpr Int kRootHalf = 0x3F3504F3;  // bits of sqrt(1/2)
    const IntVec n = (reinterpret_cast<IntVec>(x) - kRootHalf) >> 23;
    const Vec t = reinterpret_cast<Vec>(reinterpret_cast<IntVec>(x) - (n << 23)) - real(1);
    Vec h = t * real(0.0853331313) - real(0.142692581);
    h = h * t + real(0.149774015);
    h = h * t - real(0.165779933);
    h = h * t + real(0.199559331);
    h = h * t - real(0.25001353);
    h = h * t + real(0.333341926);
    h = h * t - real(0.49999997);
    h = h * t + real(1);
    return __builtin_convertvector(n, Vec) * real(0.693147181) + (t * h + (x - x));
  }
}

// Lane i of the result is a[i / 2] for even i and b[i / 2] for odd i; Half 1 takes the upper
// halves.
template <int Half, int... I>
[[gnu::always_inline]] static inline Vec interleave(Vec a,
                                                    Vec b,
                                                    std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, ((Half * kLanes + I) / 2 + (I % 2) * kLanes)...);
}

// Transposes a square of kLanes rows: log2(kLanes) perfect shuffles.
[[gnu::always_inline]] static inline void transpose_square(Vec (&rows)[kLanes]) {
  for (int stage = 1; stage < kLanes; stage *= 2) {
    Vec next[kLanes];
    for (int i = 0; i < kLanes / 2; ++i) {
      next[2 * i] = interleave<0>(rows[i], rows[i + kLanes / 2], AllLanes{});
      next[2 * i + 1] = interleave<1>(rows[i], rows[i + kLanes / 2], AllLanes{});
    }
    for (int i = 0; i < kLanes; ++i) rows[i] = next[i];
  }
}

// to (cols x kLanes, rows ld apart) = factor * from^T (kLanes x cols, rows `stride` apart); cols a
// multiple of kLanes.
static void transpose(
    const real* from, size_t stride, size_t cols, real factor, real* to, size_t ld) {
  for (size_t c = 0; c < cols; c += kLanes) {
    Vec square[kLanes];
    for (int i = 0; i < kLanes; ++i) square[i] = load(from + i * stride + c) * factor;
    transpose_square(square);
    for (int i = 0; i < kLanes; ++i) store(to + (c + i) * ld, square[i]);
  }
}

// Copies rows x cols (rows `stride` apart) to padded_rows x padded_cols, dense, zeros around.
static void pack(const real* from,
                 size_t stride,
                 size_t rows,
                 size_t cols,
                 real* to,
                 size_t padded_rows,
                 size_t padded_cols) {
  const size_t whole = cols / kLanes * kLanes;
  size_t r = 0;
  for (; r + 4 <= rows && whole == padded_cols; r += 4)
    for (size_t c = 0; c < whole; c += kLanes) {
      const real* in = from + r * stride + c;
      const Vec x0 = load(in), x1 = load(in + stride), x2 = load(in + 2 * stride),
                x3 = load(in + 3 * stride);
      real* out = to + r * padded_cols + c;
      store(out, x0);
      store(out + padded_cols, x1);
      store(out + 2 * padded_cols, x2);
      store(out + 3 * padded_cols, x3);
    }
  for (; r < rows; ++r) {
    const real* in = from + r * stride;
    real* out = to + r * padded_cols;
    for (size_t c = 0; c < whole; c += kLanes) store(out + c, load(in + c));
    for (size_t c = whole; c < padded_cols; ++c) out[c] = c < cols ? in[c] : real(0);
  }
  for (size_t i = rows * padded_cols; i < padded_rows * padded_cols; i += kLanes)
    store(to + i, Vec{});
}

// The way back: rows x cols of `from` (rows padded_cols apart) to rows `stride` apart.
static void unpack(
    const real* from, size_t padded_cols, size_t rows, size_t cols, real* to, size_t stride) {
  const size_t whole = cols / kLanes * kLanes;
  for (size_t r = 0; r < rows; ++r) {
    const real* in = from + r * padded_cols;
    real* out = to + r * stride;
    for (size_t c = 0; c < whole; c += kLanes) store(out + c, load(in + c));
    for (size_t c = whole; c < cols; ++c) out[c] = in[c];
  }
}

// Sums of kRows rows x N vectors, held in registers.
template <int N>
struct Tile {
  Vec sum[kRows][N];

  // sum[r][:] += a[r * row_step] * b[:] for r in [First, Last)
  template <int First, int Last>
  [[gnu::always_inline]] void add(const real* a, size_t row_step, const real* b) {
    Vec row[N];
    for (int j = 0; j < N; ++j) row[j] = load(b + j * kLanes);
    for (int r = First; r < Last; ++r) {
      const Vec x = splat(a[r * row_step]);
      for (int j = 0; j < N; ++j) sum[r][j] += x * row[j];
    }
  }
  // From and to rows `stride` apart.
  [[gnu::always_inline]] void load_from(const real* from, size_t stride) {
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r)
      for (int j = 0; j < N; ++j) sum[r][j] = load(from + r * stride + j * kLanes);
  }
  [[gnu::always_inline]] void store_to(real* to, size_t stride) const {
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r)
      for (int j = 0; j < N; ++j) store(to + r * stride + j * kLanes, sum[r][j]);
  }
  // Row r times factors[r].
  [[gnu::always_inline]] void scale(const real* factors) {
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r)
      for (int j = 0; j < N; ++j) sum[r][j] *= factors[r];
  }

  // sum += A B over n inner steps: A(r, k) = a[r * row_step + k * step], B(k, :) = b[k * ldb].
  [[gnu::always_inline]] void add_product(
      const real* a, size_t row_step, size_t step, const real* b, size_t ldb, size_t n) {
    for (size_t k = 0; k < n; ++k) add<0, kRows>(a + k * step, row_step, b + k * ldb);
  }

  // The same over kRows - 1 inner steps with the triangle of A where r > k.
  template <int... K>
  [[gnu::always_inline]] void add_below(const real* a,
                                        size_t row_step,
                                        size_t step,
                                        const real* b,
                                        size_t ldb,
                                        std::integer_sequence<int, K...>) {
    (add<K + 1, kRows>(a + K * step, row_step, b + K * ldb), ...);
  }

  // The same with the triangle where r <= k.
  template <int... K>
  [[gnu::always_inline]] void add_above(const real* a,
                                        size_t row_step,
                                        size_t step,
                                        const real* b,
                                        size_t ldb,
                                        std::integer_sequence<int, K...>) {
    (add<0, K + 1>(a + K * step, row_step, b + K * ldb), ...);
  }
};
using Triangle = std::make_integer_sequence<int, kRows - 1>;

}  // namespace attention
