#pragma once
// A student's blocks learn to give what a teacher's give (core/ops/hidden_states.h).
#include "experiments/teacher.h"
#include "layers/block_output.h"

namespace bitlab {

// Adds grad_scale times the gradient of the loss of hidden states, summed over blocks, where it
// arises in backward.
class HiddenTap : public BlockTap {
 public:
  // blocks: of the student. Throws UsageError if the teacher has not as many; the pass does if they
  // are not as wide.
  HiddenTap(const BlockStates& teacher, std::size_t blocks, double grad_scale);

  void on_forward(size_t block, View x, const Pass& pass) override;
  void on_backward(size_t block, View x, View dx, const Pass& pass) override;
  double loss() const { return loss_; }  // summed over texts and blocks; after backward

 private:
  const BlockStates& teacher_;
  double grad_scale_, loss_ = 0;
};

}  // namespace bitlab
