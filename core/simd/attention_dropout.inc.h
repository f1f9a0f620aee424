// Part of table.cpp. The dropout mask of attention: Philox bits, the same whatever the tiles and
// the batch.

#pragma once
#include "core/simd/attention_blocks.inc.h"

namespace attention {

// 32-bit words in the lower halves of 64-bit lanes; the upper halves hold rubbish.
typedef std::uint64_t Wide __attribute__((vector_size(kVectorBytes)));
constexpr int kParts = 8 / sizeof(real);  // Wides for one lane of a Vec each
constexpr std::uint64_t kLow = 0xFFFFFFFF;

// 64-bit products of the lower halves.
[[gnu::always_inline]] static inline Wide multiply_low(Wide x, std::uint64_t y) {
#if defined(__AVX512F__)
  return reinterpret_cast<Wide>(_mm512_maskz_mul_epu32(
      0xFF, reinterpret_cast<__m512i>(x), _mm512_set1_epi64(static_cast<long long>(y))));
#elif defined(__AVX2__)
  return reinterpret_cast<Wide>(_mm256_mul_epu32(reinterpret_cast<__m256i>(x),
                                                 _mm256_set1_epi64x(static_cast<long long>(y))));
#else
  return (x & kLow) * y;
#endif
}

// Philox4x32-10 as in core/base/rng.cpp.
[[gnu::always_inline]] static inline void philox_rounds(Wide (&x)[4], std::uint64_t key) {
  auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
#pragma GCC unroll 10
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
    const Wide a = multiply_low(x[0], 0xD2511F53u), b = multiply_low(x[2], 0xCD9E8D57u);
    x[0] = (b >> 32) ^ x[1] ^ std::uint64_t{k0};
    x[1] = b;
    x[2] = (a >> 32) ^ x[3] ^ std::uint64_t{k1};
    x[3] = a;
  }
}

// Word w of each counter (word0, query + lane, word2, word3), as unsigned lanes of a Vec's width.
struct Philox {
  Wide x[kParts][4];

  Philox(std::uint32_t word0,
         std::uint32_t query,
         std::uint32_t word2,
         std::uint32_t word3,
         std::uint64_t key) {
    for (int part = 0; part < kParts; ++part) {
      x[part][0] = Wide{} + word0;
      for (int i = 0; i < kLanes / kParts; ++i) x[part][1][i] = query + i * kParts + part;
      x[part][2] = Wide{} + word2;
      x[part][3] = Wide{} + word3;
      philox_rounds(x[part], key);
    }
  }

  UintVec word(int w) const {
    Wide both = x[0][w] & kLow;
    if constexpr (kParts == 2) both |= x[1][w] << 32;  // part 1 holds the odd lanes
    return reinterpret_cast<UintVec>(both);
  }
};

// Calls visit(index, factors) for the vectors of a block (key, query): 0 with probability dropout,
// else 1 / (1 - dropout). The counter is (sequence, query, key / 4, head and the sequence's upper
// half); key % 4 picks the word. Masks must not change: runs that resume draw them again.
template <class Visit>
[[gnu::always_inline]] static inline void visit_dropout(
    const AttentionArgs& args, size_t b, size_t h, const Block& at, const Visit& visit) {
  const std::uint64_t sequence = args.first_sequence + b;
  const auto low = static_cast<std::uint32_t>(sequence);
  const auto high = static_cast<std::uint32_t>(h ^ (sequence >> 32 << 16));
  const auto threshold =
      static_cast<std::uint32_t>(static_cast<double>(args.dropout) * 4294967296.0);
  const Vec kept = splat(real(1) / (real(1) - args.dropout));
  for (size_t k = 0; k < at.tile_rows(); k += 4)
    for (size_t q = 0; q < at.lanes(); q += kLanes) {
      if (args.causal && at.key + k >= at.query + q + kLanes) continue;
      const Philox bits(low, static_cast<std::uint32_t>(at.query + q),
                        static_cast<std::uint32_t>((at.key + k) / 4), high, args.key);
      for (int w = 0; w < 4; ++w)
        visit((k + w) * kQueries + q, bits.word(w) < threshold ? Vec{} : kept);
    }
}

}  // namespace attention
