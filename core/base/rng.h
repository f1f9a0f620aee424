#pragma once
// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011). A number depends on its key and its counter only, never on what was drawn
// before, so resume and sharding never shift a stream.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bitlab {

// Four 32-bit words for a counter and a key.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                    std::array<std::uint32_t, 2> key);

// A stream of numbers, named by a seed and a purpose ("init/blocks.0.attn.wq.weight", "batch").
// Draw i of step s is the same in every program that asks for it.
class Rng {
 public:
  Rng(std::uint64_t seed, std::string_view purpose);

  std::uint64_t key() const { return key_; }
  std::uint64_t bits(std::uint64_t step, std::uint64_t index) const;  // 64 random bits
  double uniform(std::uint64_t step, std::uint64_t index) const;      // [0, 1), 53 bits
  double normal(std::uint64_t step, std::uint64_t index) const;       // N(0, 1), Box-Muller
  // out[i] = N(0, std), i < n; four values a Philox call (Box-Muller on pairs of 32-bit words).
  template <class Real>
  void fill_normal(double std, Real* out, std::size_t n) const;
  std::uint64_t below(std::uint64_t n, std::uint64_t step, std::uint64_t index) const;  // [0, n)

 private:
  std::uint64_t key_;
};

}  // namespace bitlab
