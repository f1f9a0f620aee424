#pragma once
// A student's blocks learn to give what a teacher's give (core/ops/hidden_states.h).
#include "experiments/teacher.h"
#include "layers/block_output.h"

namespace bitlab {

// Adds grad_scale times the gradient of the loss of hidden states, summed over blocks, where it
// arises in backward.
class HiddenTap : public BlockTap {
 public:
  // The passes throw UsageError if blocks or width of the two differ.
  HiddenTap(const BlockStates& teacher, double grad_scale);

  void on_forward(size_t block, View x, const Pass& pass) override;
  void on_backward(size_t block, View x, View dx, const Pass& pass) override;
  double loss() const { return loss_; }  // summed over texts and blocks; after backward

 private:
  const BlockStates& teacher_;
  double grad_scale_, loss_ = 0;
  std::size_t told_ = 0;  // blocks of the forward pass
};

}  // namespace bitlab
