#pragma once
// Distillation of attention by relations between positions.
#include "core/tensor/view.h"

namespace bitlab {

// Relations of MiniLMv2 (Wang et al., arXiv 2012.15828), which BitDistill (Wu et al., arXiv
// 2510.13998) has too. Queries, keys and values A are each cut into `heads` heads anew, A_h: T x d
// of a text of T tokens; a head's relations are the rows of softmax(A_h A_h^T / sqrt(d)). The loss
// of a text is, summed over queries, keys and values, the mean over heads and positions of
// KL(teacher's row || student's row). It is 0 where both say the same; widths of the two may
// differ.
//
// student: N x 3 C, teacher: N x 3 C', queries | keys | values in each row, C and C' multiples of
// `heads`. begins: `texts` + 1 rows, where each text begins and the last ends. Returns the sum over
// texts of the loss in nats, and adds grad_scale times its gradient to dstudent (N x 3 C). Memory
// is that of two T x T matrices of one head of one text. Throws Error if shapes do not fit.
double relation_loss(View student,
                     View teacher,
                     const size_t* begins,
                     size_t texts,
                     size_t heads,
                     double grad_scale,
                     View dstudent);

}  // namespace bitlab
