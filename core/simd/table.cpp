// One table of kernels. Compiled once per instruction set with BITLAB_SIMD_NAME set to its name.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "core/simd/kernels.h"
#if defined(__SSE4_1__)
#include <immintrin.h>
#endif
#if defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#define BITLAB_STRING2(x) #x
#define BITLAB_STRING(x) BITLAB_STRING2(x)

// Each table lives in a namespace of its own: the same inline function compiled for two instruction
// sets must never be merged by the linker.
namespace bitlab::simd::BITLAB_SIMD_NAME {
namespace {

// clang-format off: the order matters
#include "core/simd/vector_math.inc.h"
#include "core/simd/gemm.inc.h"
#include "core/simd/int8.inc.h"
#include "core/simd/attention.inc.h"
#include "core/simd/rowwise.inc.h"
#include "core/simd/centering.inc.h"
#include "core/simd/glu.inc.h"
#include "core/simd/rope.inc.h"
#include "core/simd/dropout.inc.h"
// clang-format on

}  // namespace

extern const Kernels table;
const Kernels table = {
    BITLAB_STRING(BITLAB_SIMD_NAME),
    gemm,
    quantize_rows,
    dequantize_rows,
    ternary_round,
    ternary_expand,
    ternary_packed_size,
    ternary_pack,
    ternary_unpack,
    ternary_gemm,
    attention_scratch,
    attention_forward,
    attention_decode,
    attention_backward,
    rmsnorm_forward,
    rmsnorm_backward,
    layernorm_forward,
    layernorm_backward,
    centering_forward,
    centering_backward,
    cross_entropy,
    relu_forward,
    relu_backward,
    gelu_forward,
    gelu_backward,
    relu2_forward,
    relu2_backward,
    swiglu_forward,
    swiglu_backward,
    relu2_glu_forward,
    relu2_glu_backward,
    rope,
    dropout,
    copy,
    add,
    add_bias,
    bias_backward,
    sum_of_squares,
    sum_of_abs,
    adamw,
};

}  // namespace bitlab::simd::BITLAB_SIMD_NAME
