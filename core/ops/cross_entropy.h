#pragma once
// Softmax cross-entropy, fused with its gradient.
#include <cstdint>

#include "core/tensor/view.h"

namespace bitlab {

// logits: N x V; targets: N ids, a negative one is skipped. Returns the sum over rows of
// -log softmax(logits)[target], in nats. dlogits (N x V, may be logits, or without memory) =
// (softmax - onehot) grad_scale. losses: N values, or null. Throws Error for a target >= V.
double cross_entropy(View logits,
                     const std::int32_t* targets,
                     double grad_scale,
                     View dlogits,
                     double* losses = nullptr);

}  // namespace bitlab
