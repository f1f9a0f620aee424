#pragma once
// Matrix products. Float products run on bitlab's own kernels (core/simd), so their bits do not
// depend on the BLAS version; OpenBLAS serves as the yardstick of benchmarks and tests.
#include "core/tensor/view.h"

namespace bitlab {

// y (M x N) = x (M x K) w^T, w: N x K.  einsum mk,nk->mn. The forward of a linear layer.
void matmul_nt(View x, View w, View y);

// y (M x K) = x (M x N) w, w: N x K.  einsum mn,nk->mk. Its gradient by the input.
void matmul_nn(View x, View w, View y);

// w (N x K) += dy^T x, dy: M x N, x: M x K.  einsum mn,mk->nk. Its gradient by the weights.
void matmul_tn_add(View dy, View x, View w);

}  // namespace bitlab
