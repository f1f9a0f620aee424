// Two-bit packing against bytes made by hand, against a plain loop, and against hostile input.
#include "core/quant/packing.h"

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/rng.h"

using namespace bitlab;

namespace {

std::vector<std::int8_t> random_codes(std::size_t n) {
  const Rng rng(n, "codes");
  std::vector<std::int8_t> codes(n);
  for (std::size_t i = 0; i < n; ++i)
    codes[i] = static_cast<std::int8_t>(static_cast<int>(rng.below(3, 0, i)) - 1);
  return codes;
}

}  // namespace

TEST_CASE("packing interleaves four blocks of rows, as Hugging Face's BitNet does",
          "[quant][packing]") {
  // 8 x 2, R = 2: byte [r, c] holds rows r, 2 + r, 4 + r, 6 + r from the lowest bits up; a code is
  // stored + 1.
  const std::vector<std::int8_t> codes = {-1, 0,   //
                                          0,  1,   //
                                          1,  -1,  //
                                          1,  1,   //
                                          0,  0,   //
                                          -1, 1,   //
                                          1,  1,   //
                                          0,  -1};
  const std::vector<std::uint8_t> packed = {0b10'01'10'00, 0b10'01'00'01,   // rows 0, 2, 4, 6
                                            0b01'00'10'01, 0b00'10'10'10};  // rows 1, 3, 5, 7
  CHECK(pack_ternary(codes.data(), 8, 2) == packed);
  CHECK(unpack_ternary(packed, 8, 2) == codes);
}

TEST_CASE("rows past the end are packed as zeros", "[quant][packing]") {
  const std::vector<std::int8_t> codes = {1, -1, 1, -1, 1};  // 5 x 1, R = 2
  CHECK(pack_ternary(codes.data(), 5, 1) ==
        std::vector<std::uint8_t>{0b01'10'10'10, 0b01'01'00'00});
  CHECK(unpack_ternary({0b01'10'10'10, 0b01'01'00'00}, 5, 1) == codes);
}

TEST_CASE("packing gives every shape back", "[quant][packing]") {
  for (std::size_t rows = 0; rows <= 13; ++rows)
    for (const std::size_t cols : {0, 1, 2, 3, 64, 67}) {
      const auto codes = random_codes(rows * cols);
      const auto packed = pack_ternary(codes.data(), rows, cols);
      REQUIRE(packed.size() == packed_rows(rows) * cols);
      REQUIRE(unpack_ternary(packed, rows, cols) == codes);
    }
}

TEST_CASE("unpacking refuses a wrong size and the code that means nothing", "[quant][packing]") {
  const auto codes = random_codes(8 * 3);
  auto packed = pack_ternary(codes.data(), 8, 3);
  CHECK_THROWS_AS(unpack_ternary(packed, 12, 3), Error);
  CHECK_THROWS_AS(unpack_ternary(packed, 8, 2), Error);
  CHECK_THROWS_AS(unpack_ternary({}, 8, 3), Error);
  packed[4] |= 0b11'00'00'00;
  CHECK_THROWS_AS(unpack_ternary(packed, 8, 3), Error);
}

TEST_CASE("unpacking is not fooled by a size that overflows", "[quant][packing]") {
  const std::size_t huge = std::size_t{1} << 33;
  CHECK_THROWS_AS(unpack_ternary({}, huge, huge), Error);          // 2^31 2^33 = 0 mod 2^64
  CHECK_THROWS_AS(unpack_ternary({}, ~std::size_t{0}, 4), Error);  // rows + 3 wraps
  CHECK_THROWS_AS(unpack_ternary({0x55}, 4, (std::size_t{1} << 62) | 1), Error);  // 4 cols wraps
}
