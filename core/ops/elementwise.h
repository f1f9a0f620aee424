#pragma once
// Element-wise ops. Shapes must agree or Error is thrown.
#include "core/tensor/view.h"

namespace bitlab {

void add(View x, View y);                 // y += x
void add_bias(View bias, View y);         // y[r] += bias, bias: 1 x C
void bias_backward(View dy, View dbias);  // dbias += sum of the rows of dy

void relu_forward(View x, View y);    // y = max(x, 0); NaN stays
void relu_backward(View y, View dy);  // dy *= (y > 0)

// GELU, x Phi(x) with the exact erf (torch.nn.GELU's default).
void gelu_forward(View x, View y);
void gelu_backward(View x, View dy);  // dy *= Phi(x) + x phi(x)

}  // namespace bitlab
