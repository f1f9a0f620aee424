#pragma once
// Row norms. x, y: N x C; gains and shifts: 1 x C, or without memory for none; statistics: 1 x N.
#include "core/tensor/view.h"

namespace bitlab {

// y = x rstd w, rstd = 1 / sqrt(mean(x^2) + eps)  (Zhang & Sennrich 2019). Keeps rstd for backward.
void rmsnorm_forward(View x, View w, double eps, View y, View rstd);
// dx may be dy. dw is added to.
void rmsnorm_backward(View dy, View x, View w, View rstd, View dx, View dw);

// y = (x - mean) rstd w + b, rstd = 1 / sqrt(var + eps), var biased  (Ba et al. 2016).
void layernorm_forward(View x, View w, View b, double eps, View y, View mean, View rstd);
// dx may be dy. dw and db are added to.
void layernorm_backward(View dy, View x, View w, View mean, View rstd, View dx, View dw, View db);

// y = (x - mean) w: LayerNorm without its division, as in kevbuh/bitnet's sub-layer norms.
void centering_forward(View x, View w, View y);
// dx may be dy. dw is added to.
void centering_backward(View dy, View x, View w, View dx, View dw);

}  // namespace bitlab
