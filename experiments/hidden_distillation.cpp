#include "experiments/hidden_distillation.h"

#include "core/base/error.h"
#include "core/ops/hidden_states.h"

namespace bitlab {

namespace {

[[noreturn]] void refuse(const std::string& what, std::size_t teacher, std::size_t student) {
  throw UsageError("task.classification.hidden_weight",
                   "must be 0 where teacher and model differ in " + what + ", but they have " +
                       std::to_string(teacher) + " and " + std::to_string(student),
                   "relations of attention (relation_weight) can be learned from any width");
}

}  // namespace

HiddenTap::HiddenTap(const BlockStates& teacher, std::size_t blocks, double grad_scale)
    : teacher_(teacher), grad_scale_(grad_scale) {
  if (blocks != teacher.blocks.size()) refuse("blocks", teacher.blocks.size(), blocks);
}

void HiddenTap::on_forward(std::size_t, View x, const Pass&) {
  if (x.cols != teacher_.width) refuse("width", teacher_.width, x.cols);
}

void HiddenTap::on_backward(std::size_t block, View x, View dx, const Pass& pass) {
  loss_ += hidden_state_loss(x, teacher_.of(block), pass.begins, pass.batch, grad_scale_, dx);
}

}  // namespace bitlab
