#include "core/tensor/gemm.h"

#include "core/simd/kernels.h"
#include "core/tensor/check.h"

namespace bitlab {

void matmul_nt(View x, View w, View y) {
  check_shape("matmul_nt", "w", w, y.cols, x.cols);
  check_shape("matmul_nt", "y", y, x.rows, w.rows);
  simd::kernels().gemm({.trans_b = true,
                        .m = x.rows,
                        .n = w.rows,
                        .k = x.cols,
                        .a = x.data,
                        .lda = x.cols,
                        .b = w.data,
                        .ldb = w.cols,
                        .c = y.data,
                        .ldc = y.cols});
}

void matmul_nn(View x, View w, View y) {
  check_shape("matmul_nn", "w", w, x.cols, y.cols);
  check_shape("matmul_nn", "y", y, x.rows, w.cols);
  simd::kernels().gemm({.m = x.rows,
                        .n = w.cols,
                        .k = x.cols,
                        .a = x.data,
                        .lda = x.cols,
                        .b = w.data,
                        .ldb = w.cols,
                        .c = y.data,
                        .ldc = y.cols});
}

void matmul_tn_add(View dy, View x, View w) {
  check_shape("matmul_tn_add", "dy", dy, x.rows, w.rows);
  check_shape("matmul_tn_add", "w", w, dy.cols, x.cols);
  simd::kernels().gemm({.trans_a = true,
                        .m = dy.cols,
                        .n = x.cols,
                        .k = dy.rows,
                        .a = dy.data,
                        .lda = dy.cols,
                        .b = x.data,
                        .ldb = x.cols,
                        .beta = 1,
                        .c = w.data,
                        .ldc = w.cols});
}

}  // namespace bitlab
