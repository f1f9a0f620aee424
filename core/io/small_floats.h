#pragma once
// 16-bit floating numbers: IEEE half precision (F16) and the upper half of a float (BF16). To float
// is exact for every value; from float rounds to the nearest, ties to even, and what is too large
// becomes infinite. NaN stays NaN.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace bitlab {

inline float float_of_bits(std::uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

inline std::uint32_t bits_of_float(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

inline float half_to_float(std::uint16_t h) {
  const std::uint32_t sign = std::uint32_t{h & 0x8000u} << 16, exponent = h >> 10 & 31u;
  const std::uint32_t mantissa = h & 1023u;
  if (exponent == 31) return float_of_bits(sign | 0x7F800000u | mantissa << 13);
  if (exponent != 0) return float_of_bits(sign | (exponent + 112) << 23 | mantissa << 13);
  const float tiny = static_cast<float>(mantissa) * 0x1p-24f;
  return sign != 0 ? -tiny : tiny;
}

inline float bfloat_to_float(std::uint16_t b) { return float_of_bits(std::uint32_t{b} << 16); }

inline std::uint16_t float_to_bfloat(float x) {
  const std::uint32_t bits = bits_of_float(x);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return static_cast<std::uint16_t>(bits >> 16 | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

inline std::uint16_t float_to_half(float x) {
  const std::uint32_t bits = bits_of_float(x), magnitude = bits & 0x7FFFFFFFu;
  const std::uint32_t sign = bits >> 16 & 0x8000u;
  if (magnitude > 0x7F800000u)
    return static_cast<std::uint16_t>(sign | 0x7E00u | (magnitude >> 13 & 0x3FFu));
  if (magnitude >= 0x477FF000u) return static_cast<std::uint16_t>(sign | 0x7C00u);  // 65520 and up
  if (magnitude < 0x38800000u) {  // below 2^-14: a multiple of 2^-24, which the sum rounds to
    const float sum = float_of_bits(magnitude) + 0.5f;
    return static_cast<std::uint16_t>(sign | (bits_of_float(sum) - bits_of_float(0.5f)));
  }
  const std::uint32_t rounded = magnitude + 0xFFFu + (magnitude >> 13 & 1u) - 0x38000000u;
  return static_cast<std::uint16_t>(sign | rounded >> 13);
}

// Values of one of the two kinds.
struct SmallFloats {
  enum class Kind { Half, Brain };
  Kind kind = Kind::Half;
  std::vector<std::uint16_t> values;

  float at(std::size_t i) const {
    return kind == Kind::Half ? half_to_float(values[i]) : bfloat_to_float(values[i]);
  }
};

}  // namespace bitlab
