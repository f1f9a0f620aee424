#pragma once
// Ternary codes in 2 bits, in Hugging Face's BitNet layout: with R = ceil(rows /
// 4), byte [r, c] of the R x cols result holds in bits (2i, 2i + 1) the code + 1 of row i R + r, i
// = 0 .. 3. Rows past the end are packed as code 0.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitlab {

inline std::size_t packed_rows(std::size_t rows) { return (rows + 3) / 4; }

// codes: rows x cols in {-1, 0, 1} -> packed_rows(rows) x cols bytes.
std::vector<std::uint8_t> pack_ternary(const std::int8_t* codes,
                                       std::size_t rows,
                                       std::size_t cols);

// Throws Error if `packed` has another size or holds the code that means nothing (3).
std::vector<std::int8_t> unpack_ternary(const std::vector<std::uint8_t>& packed,
                                        std::size_t rows,
                                        std::size_t cols);

}  // namespace bitlab
