#include "core/ops/norm.h"

#include "core/simd/kernels.h"
#include "core/tensor/check.h"

namespace bitlab {

using simd::kernels;

namespace {

void check_gain(const char* where, View w, size_t cols) {
  if (w.data) check_shape(where, "w", w, 1, cols);
}

}  // namespace

void rmsnorm_forward(View x, View w, double eps, View y, View rstd) {
  check_gain("rmsnorm_forward", w, x.cols);
  check_shape("rmsnorm_forward", "y", y, x.rows, x.cols);
  check_shape("rmsnorm_forward", "rstd", rstd, 1, x.rows);
  kernels().rmsnorm_forward(x.rows, x.cols, x.data, w.data, static_cast<real>(eps), y.data,
                            rstd.data);
}

void rmsnorm_backward(View dy, View x, View w, View rstd, View dx, View dw) {
  check_shape("rmsnorm_backward", "dy", dy, x.rows, x.cols);
  check_shape("rmsnorm_backward", "dx", dx, x.rows, x.cols);
  check_gain("rmsnorm_backward", dw, x.cols);
  kernels().rmsnorm_backward(x.rows, x.cols, dy.data, x.data, w.data, rstd.data, dx.data, dw.data);
}

void layernorm_forward(View x, View w, View b, double eps, View y, View mean, View rstd) {
  check_gain("layernorm_forward", w, x.cols);
  check_gain("layernorm_forward", b, x.cols);
  check_shape("layernorm_forward", "y", y, x.rows, x.cols);
  check_shape("layernorm_forward", "mean", mean, 1, x.rows);
  check_shape("layernorm_forward", "rstd", rstd, 1, x.rows);
  kernels().layernorm_forward(x.rows, x.cols, x.data, w.data, b.data, static_cast<real>(eps),
                              y.data, mean.data, rstd.data);
}

void layernorm_backward(View dy, View x, View w, View mean, View rstd, View dx, View dw, View db) {
  check_shape("layernorm_backward", "dy", dy, x.rows, x.cols);
  check_shape("layernorm_backward", "dx", dx, x.rows, x.cols);
  check_gain("layernorm_backward", dw, x.cols);
  check_gain("layernorm_backward", db, x.cols);
  kernels().layernorm_backward(x.rows, x.cols, dy.data, x.data, w.data, mean.data, rstd.data,
                               dx.data, dw.data, db.data);
}

void centering_forward(View x, View w, View y) {
  check_shape("centering_forward", "w", w, 1, x.cols);
  check_shape("centering_forward", "y", y, x.rows, x.cols);
  kernels().centering_forward(x.rows, x.cols, x.data, w.data, y.data);
}

void centering_backward(View dy, View x, View w, View dx, View dw) {
  check_shape("centering_backward", "dy", dy, x.rows, x.cols);
  check_shape("centering_backward", "dx", dx, x.rows, x.cols);
  check_shape("centering_backward", "dw", dw, 1, x.cols);
  kernels().centering_backward(x.rows, x.cols, dy.data, x.data, w.data, dx.data, dw.data);
}

}  // namespace bitlab
