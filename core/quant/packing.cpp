#include "core/quant/packing.h"

#include <limits>
#include <string>

#include "core/base/error.h"

namespace bitlab {

std::vector<std::uint8_t> pack_ternary(const std::int8_t* codes,
                                       std::size_t rows,
                                       std::size_t cols) {
  const std::size_t blocks = packed_rows(rows);
  std::vector<std::uint8_t> packed(blocks * cols, 0x55);  // code 0 everywhere
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t shift = 2 * (row / blocks);
    std::uint8_t* out = packed.data() + (row % blocks) * cols;
    for (std::size_t c = 0; c < cols; ++c) {
      const auto bits = static_cast<unsigned>(codes[row * cols + c] + 1);
      out[c] = static_cast<std::uint8_t>((out[c] & ~(3u << shift)) | bits << shift);
    }
  }
  return packed;
}

std::vector<std::int8_t> unpack_ternary(const std::vector<std::uint8_t>& packed,
                                        std::size_t rows,
                                        std::size_t cols) {
  const std::size_t blocks = rows / 4 + (rows % 4 != 0);
  // Sizes come from files: the products below must not wrap around.
  const std::size_t largest = std::numeric_limits<std::size_t>::max() / 4;
  if ((cols > 0 && blocks > largest / cols) || packed.size() != blocks * cols)
    throw Error("unpack_ternary",
                "a " + std::to_string(rows) + " x " + std::to_string(cols) +
                    " matrix must be packed into ceil(rows / 4) x cols bytes, but got " +
                    std::to_string(packed.size()));
  std::vector<std::int8_t> codes(rows * cols);
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t c = 0; c < cols; ++c) {
      const unsigned bits = packed[(row % blocks) * cols + c] >> (2 * (row / blocks)) & 3u;
      if (bits == 3)
        throw Error("unpack_ternary", "codes must be 0, 1 or 2, but row " + std::to_string(row) +
                                          ", column " + std::to_string(c) + " holds 3");
      codes[row * cols + c] = static_cast<std::int8_t>(static_cast<int>(bits) - 1);
    }
  return codes;
}

}  // namespace bitlab
