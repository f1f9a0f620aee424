#pragma once
// Rotary position embedding (Su et al., arXiv 2104.09864) with the pairing of Hugging Face's LLaMA
// ("rotate half"): in a head of width D, coordinates i and i + D/2 turn together by the angle
// p base^(-2 i / D) at position p. So q_p . k_s depends on p - s only.
#include <vector>

#include "core/tensor/view.h"

namespace bitlab {

// Cosines and sines of all positions, rounded once from double.
class RopeTable {
 public:
  // Throws Error unless `width`, of a head, is even and not 0.
  RopeTable(size_t positions, size_t width, double base);

  size_t positions() const { return positions_; }
  size_t width() const { return width_; }
  const real* data() const { return table_.data(); }  // a row a position: cosines | sines

 private:
  size_t positions_, width_;
  std::vector<real> table_;
};

// Where heads lie in the rows of a matrix: `heads` of them, head_stride apart, from column `first`.
struct RopeHeads {
  size_t first = 0, heads = 0, head_stride = 0;
};

// Turns the heads of x in place, row r as position first_position + r % seq_len; backwards if
// `inverse`, which is also the way of gradients (a rotation's transpose is its inverse). Throws
// Error for a position beyond the table.
void rope_rotate(const RopeTable& table,
                 View x,
                 const RopeHeads& at,
                 size_t seq_len,
                 size_t first_position,
                 bool inverse);

}  // namespace bitlab
