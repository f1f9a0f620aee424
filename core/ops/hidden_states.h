#pragma once
// Distillation of what comes out of a block.
#include "core/tensor/view.h"

namespace bitlab {

// The loss of a text is the mean over its positions and columns of (student - teacher)^2, as
// TernaryBERT (Zhang et al., arXiv 2009.12812) has it of each block's hidden states.
//
// student, teacher: N x C. begins: `texts` + 1 rows, where each text begins and the last ends.
// Returns the sum over texts of the loss, and adds grad_scale times its gradient to dstudent
// (N x C). Throws Error if shapes do not fit.
double hidden_state_loss(View student,
                         View teacher,
                         const size_t* begins,
                         size_t texts,
                         double grad_scale,
                         View dstudent);

}  // namespace bitlab
