#pragma once
// Every function of Kernels that computes something, for who wraps them all: X(name).
#include "core/simd/kernels.h"

#define BITLAB_COMPUTING_KERNELS(X) \
  X(gemm)                           \
  X(quantize_rows)                  \
  X(dequantize_rows)                \
  X(ternary_round)                  \
  X(ternary_expand)                 \
  X(ternary_pack)                   \
  X(ternary_unpack)                 \
  X(ternary_gemm)                   \
  X(attention_forward)              \
  X(attention_decode)               \
  X(attention_backward)             \
  X(rmsnorm_forward)                \
  X(rmsnorm_backward)               \
  X(layernorm_forward)              \
  X(layernorm_backward)             \
  X(cross_entropy)                  \
  X(relu_forward)                   \
  X(relu_backward)                  \
  X(gelu_forward)                   \
  X(gelu_backward)                  \
  X(centering_forward)              \
  X(centering_backward)             \
  X(relu2_forward)                  \
  X(relu2_backward)                 \
  X(swiglu_forward)                 \
  X(swiglu_backward)                \
  X(relu2_glu_forward)              \
  X(relu2_glu_backward)             \
  X(rope)                           \
  X(dropout)                        \
  X(copy)                           \
  X(add)                            \
  X(add_bias)                       \
  X(bias_backward)                  \
  X(sum_of_squares)                 \
  X(sum_of_abs)                     \
  X(adamw)

namespace bitlab::simd {

#define BITLAB_COUNT(kernel) +1
// The rest: name, ternary_packed_size, attention_scratch.
static_assert(sizeof(Kernels) == (3 BITLAB_COMPUTING_KERNELS(BITLAB_COUNT)) * sizeof(void*),
              "BITLAB_COMPUTING_KERNELS must list every kernel");
#undef BITLAB_COUNT

}  // namespace bitlab::simd
