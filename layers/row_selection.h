#pragma once
// Some rows of a matrix, for layers that do not read all.
#include <algorithm>
#include <cstring>

#include "layers/layer.h"

namespace bitlab {

// n x cols of x: rows row_of(0) .. row_of(n - 1).
template <class RowOf>
View gather_rows(View x, size_t n, const RowOf& row_of, Pass& pass) {
  const View some = pass.arena.matrix(n, x.cols);
  for (size_t i = 0; i < n; ++i) std::memcpy(some.row(i), x.row(row_of(i)), x.cols * sizeof(real));
  return some;
}

// Its backward: a matrix with all rows of the pass, zero but for those. No row may come twice.
template <class RowOf>
View scatter_rows(View some, const RowOf& row_of, Pass& pass) {
  const View x = pass.matrix(some.cols);
  std::fill_n(x.data, x.size(), real(0));
  for (size_t i = 0; i < some.rows; ++i)
    std::memcpy(x.row(row_of(i)), some.row(i), x.cols * sizeof(real));
  return x;
}

}  // namespace bitlab
