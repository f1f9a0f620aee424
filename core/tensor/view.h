#pragma once
// A row-major matrix that somebody else owns: what layers and ops pass to each other.
#include <cstddef>

#include "core/tensor/real.h"

namespace bitlab {

using std::size_t;

// rows x cols reals, densely packed. A vector is 1 x n; activations are (batch * seq_len) x
// features.
struct View {
  real* data = nullptr;
  size_t rows = 0;
  size_t cols = 0;

  size_t size() const { return rows * cols; }
  real* row(size_t r) const { return data + r * cols; }
  real& operator()(size_t r, size_t c) const { return data[r * cols + c]; }
};

}  // namespace bitlab
