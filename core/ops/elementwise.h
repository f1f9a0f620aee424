#pragma once
// Element-wise ops. Shapes must agree or Error is thrown.
#include "core/tensor/view.h"

namespace bitlab {

void copy(View x, View y);                // y = x; they may overlap
void add(View x, View y);                 // y += x
void add_bias(View bias, View y);         // y[r] += bias, bias: 1 x C
void bias_backward(View dy, View dbias);  // dbias += sum of the rows of dy

// Columns [at, at + cols) of `to` = columns [first, first + cols) of `from`.
void copy_columns(View from, size_t first, View to, size_t at, size_t cols);

void relu_forward(View x, View y);    // y = max(x, 0); NaN stays
void relu_backward(View y, View dy);  // dy *= (y > 0)

// GELU, x Phi(x) with the exact erf (torch.nn.GELU's default).
void gelu_forward(View x, View y);
void gelu_backward(View x, View dy);  // dy *= Phi(x) + x phi(x)

// y = tanh(x), for a few rows: not vectorised.
void tanh_forward(View x, View y);
void tanh_backward(View y, View dy);  // dy *= 1 - y^2

// ReLU squared, max(x, 0)^2 (arXiv 2109.08668).
void relu2_forward(View x, View y);
void relu2_backward(View x, View dy);  // dy *= 2 max(x, 0)

// Gated: gu is N x 2F, gate | up; h (N x F) = act(gate) up. Backward overwrites gu with its
// gradient.
void swiglu_forward(View gu, View h);  // act = silu, x sigmoid(x) (arXiv 2002.05202)
void swiglu_backward(View dh, View gu);
void relu2_glu_forward(View gu, View h);  // act = ReLU squared (arXiv 2504.12285)
void relu2_glu_backward(View dh, View gu);

}  // namespace bitlab
