#include "core/ops/elementwise.h"

#include <cmath>
#include <cstring>

#include "core/base/error.h"
#include "core/simd/kernels.h"
#include "core/tensor/check.h"

namespace bitlab {

using simd::kernels;

void copy(View x, View y) {
  check_shape("copy", "x", x, y.rows, y.cols);
  kernels().copy(y.size(), x.data, y.data);
}

void add(View x, View y) {
  check_shape("add", "x", x, y.rows, y.cols);
  kernels().add(y.size(), x.data, y.data);
}

void add_bias(View bias, View y) {
  check_shape("add_bias", "bias", bias, 1, y.cols);
  kernels().add_bias(y.rows, y.cols, bias.data, y.data);
}

void bias_backward(View dy, View dbias) {
  check_shape("bias_backward", "dbias", dbias, 1, dy.cols);
  kernels().bias_backward(dy.rows, dy.cols, dy.data, dbias.data);
}

void copy_columns(View from, size_t first, View to, size_t at, size_t cols) {
  check_shape("copy_columns", "to", to, from.rows, to.cols);
  if (first + cols > from.cols || at + cols > to.cols)
    throw Error("copy_columns", "columns must lie in both matrices");
  for (size_t r = 0; r < from.rows; ++r)
    std::memcpy(to.row(r) + at, from.row(r) + first, cols * sizeof(real));
}

void relu_forward(View x, View y) {
  check_shape("relu_forward", "y", y, x.rows, x.cols);
  kernels().relu_forward(x.size(), x.data, y.data);
}

void relu_backward(View y, View dy) {
  check_shape("relu_backward", "dy", dy, y.rows, y.cols);
  kernels().relu_backward(y.size(), y.data, dy.data);
}

void gelu_forward(View x, View y) {
  check_shape("gelu_forward", "y", y, x.rows, x.cols);
  kernels().gelu_forward(x.size(), x.data, y.data);
}

void gelu_backward(View x, View dy) {
  check_shape("gelu_backward", "dy", dy, x.rows, x.cols);
  kernels().gelu_backward(x.size(), x.data, dy.data);
}

void tanh_forward(View x, View y) {
  check_shape("tanh_forward", "y", y, x.rows, x.cols);
  for (size_t i = 0; i < x.size(); ++i) y.data[i] = std::tanh(x.data[i]);
}

void tanh_backward(View y, View dy) {
  check_shape("tanh_backward", "dy", dy, y.rows, y.cols);
  for (size_t i = 0; i < y.size(); ++i) dy.data[i] *= 1 - y.data[i] * y.data[i];
}

void relu2_forward(View x, View y) {
  check_shape("relu2_forward", "y", y, x.rows, x.cols);
  kernels().relu2_forward(x.size(), x.data, y.data);
}

void relu2_backward(View x, View dy) {
  check_shape("relu2_backward", "dy", dy, x.rows, x.cols);
  kernels().relu2_backward(x.size(), x.data, dy.data);
}

void swiglu_forward(View gu, View h) {
  check_shape("swiglu_forward", "gu", gu, h.rows, 2 * h.cols);
  kernels().swiglu_forward(h.rows, h.cols, gu.data, h.data);
}

void swiglu_backward(View dh, View gu) {
  check_shape("swiglu_backward", "gu", gu, dh.rows, 2 * dh.cols);
  kernels().swiglu_backward(dh.rows, dh.cols, dh.data, gu.data);
}

void relu2_glu_forward(View gu, View h) {
  check_shape("relu2_glu_forward", "gu", gu, h.rows, 2 * h.cols);
  kernels().relu2_glu_forward(h.rows, h.cols, gu.data, h.data);
}

void relu2_glu_backward(View dh, View gu) {
  check_shape("relu2_glu_backward", "gu", gu, dh.rows, 2 * dh.cols);
  kernels().relu2_glu_backward(dh.rows, dh.cols, dh.data, gu.data);
}

}  // namespace bitlab
