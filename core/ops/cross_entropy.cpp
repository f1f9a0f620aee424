#include "core/ops/cross_entropy.h"

#include <string>

#include "core/base/error.h"
#include "core/simd/kernels.h"
#include "core/tensor/check.h"

namespace bitlab {

double cross_entropy(
    View logits, const std::int32_t* targets, double grad_scale, View dlogits, double* losses) {
  if (dlogits.data) check_shape("cross_entropy", "dlogits", dlogits, logits.rows, logits.cols);
  for (size_t r = 0; r < logits.rows; ++r)
    if (targets[r] >= static_cast<std::int64_t>(logits.cols))
      throw Error("cross_entropy", "targets must be below the vocabulary size " +
                                       std::to_string(logits.cols) + ", but got " +
                                       std::to_string(targets[r]));
  return simd::kernels().cross_entropy(logits.rows, logits.cols, logits.data, targets,
                                       static_cast<real>(grad_scale), dlogits.data, losses);
}

}  // namespace bitlab
