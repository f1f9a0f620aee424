#include "core/ops/rope.h"

#include <cmath>
#include <string>

#include "core/base/error.h"
#include "core/simd/kernels.h"

namespace bitlab {

RopeTable::RopeTable(size_t positions, size_t width, double base)
    : positions_(positions), width_(width), table_(positions * width) {
  if (width == 0 || width % 2 != 0)
    throw Error("rope", "a head must have an even width, but has " + std::to_string(width));
  const size_t half = width / 2;
  for (size_t i = 0; i < half; ++i) {
    const double rate = std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(width));
    for (size_t p = 0; p < positions; ++p) {
      table_[p * width + i] = static_cast<real>(std::cos(static_cast<double>(p) * rate));
      table_[p * width + half + i] = static_cast<real>(std::sin(static_cast<double>(p) * rate));
    }
  }
}

void rope_rotate(const RopeTable& table,
                 View x,
                 const RopeHeads& at,
                 size_t seq_len,
                 size_t first_position,
                 bool inverse) {
  if (first_position + seq_len > table.positions())
    throw Error("rope", "a sequence must have at most " + std::to_string(table.positions()) +
                            " positions, but has " + std::to_string(first_position + seq_len));
  simd::kernels().rope({.rows = x.rows,
                        .seq_len = seq_len,
                        .first_position = first_position,
                        .heads = at.heads,
                        .d_head = table.width(),
                        .stride = x.cols,
                        .head_stride = at.head_stride,
                        .table = table.data(),
                        .inverse = inverse,
                        .x = x.data + at.first});
}

}  // namespace bitlab
