#pragma once
// Softmax attention on packed rows q | k | v. See AttentionArgs in core/simd/kernels.h for the
// shapes.
#include "core/simd/kernels.h"
#include "core/tensor/view.h"

namespace bitlab {

// Fills y, and lse unless it is null. `scratch` of args is ignored: the op brings its own, one
// buffer a thread.
void attention_forward(simd::AttentionArgs args);

// Reads qkv, y, lse and dy; fills dqkv.
void attention_backward(simd::AttentionArgs args);

}  // namespace bitlab
