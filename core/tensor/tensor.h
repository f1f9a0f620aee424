#pragma once
// Tensors that own their memory, on xtensor; and the way between them and views.
#include <array>
#include <string>

#include "core/base/error.h"
#include "core/tensor/view.h"
#include "core/tensor/xt.h"

namespace bitlab {

template <size_t N>
using Tensor = xt::xtensor<real, N>;
using Matrix = Tensor<2>;

// The tensor's memory as rows x cols; a vector is one row.
inline View view(Matrix& m) { return {m.data(), m.shape(0), m.shape(1)}; }
inline View view(Tensor<1>& v) { return {v.data(), 1, v.shape(0)}; }

// n zeros, in huge pages where the system has them.
Tensor<1> make_zeros(size_t n);

// A view as an xtensor expression, nothing copied.
inline auto as_xtensor(View v) {
  return xt::adapt(v.data, v.size(), xt::no_ownership(), std::array<size_t, 2>{v.rows, v.cols});
}

}  // namespace bitlab
