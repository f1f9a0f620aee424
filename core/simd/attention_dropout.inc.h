// Part of table.cpp. The dropout mask of attention: Philox bits, the same whatever the tiles and
// the batch.

#pragma once
#include "core/simd/attention_blocks.inc.h"

namespace attention {

// Philox4x32-10 as in core/base/rng.cpp, for kLanes counters that differ in word 1 (first, first +
// 1, ...). out[w][i]: word w of counter i.
static void philox(std::uint32_t word0,
                   std::uint32_t first,
                   std::uint32_t word2,
                   std::uint32_t word3,
                   std::uint64_t key,
                   std::uint32_t (&out)[4][kLanes]) {
  for (int i = 0; i < kLanes; ++i) {
    out[0][i] = word0;
    out[1][i] = first + static_cast<std::uint32_t>(i);
    out[2][i] = word2;
    out[3][i] = word3;
  }
  auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
#pragma omp simd
    for (int i = 0; i < kLanes; ++i) {
      const std::uint64_t a = std::uint64_t{0xD2511F53u} * out[0][i];
      const std::uint64_t b = std::uint64_t{0xCD9E8D57u} * out[2][i];
      out[0][i] = static_cast<std::uint32_t>(b >> 32) ^ out[1][i] ^ k0;
      out[1][i] = static_cast<std::uint32_t>(b);
      out[2][i] = static_cast<std::uint32_t>(a >> 32) ^ out[3][i] ^ k1;
      out[3][i] = static_cast<std::uint32_t>(a);
    }
  }
}

// factors (key, query) of a block: 0 with probability dropout, else 1 / (1 - dropout). The counter
// is (sequence, query, key / 4, head and the sequence's upper half); key % 4 picks the word. Masks
// must not change: runs that resume draw them again.
static void dropout_factors(
    const AttentionArgs& args, size_t b, size_t h, const Block& at, real* factors) {
  const std::uint64_t sequence = args.first_sequence + b;
  const auto low = static_cast<std::uint32_t>(sequence);
  const auto high = static_cast<std::uint32_t>(h ^ (sequence >> 32 << 16));
  const auto threshold =
      static_cast<std::uint32_t>(static_cast<double>(args.dropout) * 4294967296.0);
  const real kept = real(1) / (real(1) - args.dropout);
  std::uint32_t words[4][kLanes];
  for (size_t k = 0; k < at.tile_rows(); k += 4)
    for (size_t q = 0; q < at.lanes(); q += kLanes) {
      if (args.causal && at.key + k >= at.query + q + kLanes) continue;
      philox(low, static_cast<std::uint32_t>(at.query + q),
             static_cast<std::uint32_t>((at.key + k) / 4), high, args.key, words);
      for (int w = 0; w < 4; ++w)
        for (int i = 0; i < kLanes; ++i)
          factors[(k + w) * kQueries + q + i] = words[w][i] < threshold ? real(0) : kept;
    }
}

// Drops probabilities s (key, query) of a block.
static void drop(
    const AttentionArgs& args, size_t b, size_t h, const Block& at, real* factors, real* s) {
  dropout_factors(args, b, h, at, factors);
  for (size_t k = 0; k < at.key_count; ++k)
    for (size_t q = 0; q < at.lanes(); q += kLanes) {
      const size_t i = k * kQueries + q;
      store(s + i, load(s + i) * load(factors + i));
    }
}

}  // namespace attention
