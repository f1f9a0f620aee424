#include "core/base/rng.h"

#include <cmath>

namespace bitlab {

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> x,
                                    std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53u} * x[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57u} * x[2];
    x = {static_cast<std::uint32_t>(b >> 32) ^ x[1] ^ key[0], static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ x[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return x;
}

namespace {

// splitmix64: spreads a seed over all 64 bits.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

}  // namespace

Rng::Rng(std::uint64_t seed, std::string_view purpose) {
  std::uint64_t hash = 0xCBF29CE484222325u;  // FNV-1a of the purpose
  for (const char c : purpose) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  key_ = mix(mix(seed) ^ hash);
}

std::uint64_t Rng::bits(std::uint64_t step, std::uint64_t index) const {
  const auto x = philox({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32),
                         static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(step >> 32)},
                        {static_cast<std::uint32_t>(key_), static_cast<std::uint32_t>(key_ >> 32)});
  return std::uint64_t{x[1]} << 32 | x[0];
}

double Rng::uniform(std::uint64_t step, std::uint64_t index) const {
  return static_cast<double>(bits(step, index) >> 11) * 0x1p-53;
}

double Rng::normal(std::uint64_t step, std::uint64_t index) const {
  const double u = 1.0 - uniform(step, 2 * index);  // (0, 1]
  const double angle = 6.283185307179586 * uniform(step, 2 * index + 1);
  return std::sqrt(-2.0 * std::log(u)) * std::cos(angle);
}

template <class Real>
void Rng::fill_normal(double std, Real* out, std::size_t n) const {
  const std::array<std::uint32_t, 2> key = {static_cast<std::uint32_t>(key_),
                                            static_cast<std::uint32_t>(key_ >> 32)};
  for (std::size_t i = 0; i < n; i += 4) {
    const std::uint64_t count = i / 4;
    const auto x = philox(
        {static_cast<std::uint32_t>(count), static_cast<std::uint32_t>(count >> 32), 0, 1}, key);
    double values[4];
    for (int pair = 0; pair < 4; pair += 2) {
      const double u = (static_cast<double>(x[pair]) + 1) * 0x1p-32;  // (0, 1]
      const double angle = 6.283185307179586 * 0x1p-32 * static_cast<double>(x[pair + 1]);
      const double radius = std * std::sqrt(-2.0 * std::log(u));
      values[pair] = radius * std::cos(angle);
      values[pair + 1] = radius * std::sin(angle);
    }
    for (std::size_t j = 0; j < 4 && i + j < n; ++j) out[i + j] = static_cast<Real>(values[j]);
  }
}
template void Rng::fill_normal(double, float*, std::size_t) const;
template void Rng::fill_normal(double, double*, std::size_t) const;

std::uint64_t Rng::below(std::uint64_t n, std::uint64_t step, std::uint64_t index) const {
  // Multiply-shift: the bias is below n / 2^64.
  return static_cast<std::uint64_t>((static_cast<unsigned __int128>(bits(step, index)) * n) >> 64);
}

}  // namespace bitlab
