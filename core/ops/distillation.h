#pragma once
// The loss of a student that learns from labels and from a teacher.
#include <cstdint>

#include "core/tensor/view.h"

namespace bitlab {

// How much the teacher counts: loss = cross-entropy + weight T^2 KL(softmax(teacher / T) ||
// softmax(logits / T))  (Hinton et al., arXiv 1503.02531, whose T^2 keeps the gradient's size).
struct Distillation {
  double weight = 1;
  double temperature = 2;  // T
};

// logits: N x V; targets: N ids; teacher: N x V logits, row by row. Returns the sum over rows of
// the loss in nats. logits become their gradient times grad_scale. For few columns: not vectorised.
double distillation_loss(View logits,
                         const std::int32_t* targets,
                         const float* teacher,
                         const Distillation& distillation,
                         double grad_scale);

}  // namespace bitlab
