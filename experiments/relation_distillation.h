#pragma once
// A student's attention learns the relations between positions that a teacher's has
// (core/ops/relations.h).
#include <cstdint>

#include "layers/attention.h"

namespace bitlab {

struct RelationSettings {
  double weight = 0;        // of the relations in the loss of a text; 0: off
  std::int64_t layer = -1;  // of attention, counted from 0, in student and teacher; -1: the last
  std::int64_t heads = 0;   // of relations; 0: as many as the student's attention has
};

// The layer of attention that `layer` names. Throws UsageError if the net has none such, or one
// whose keys are shared by heads; `whose`: "the teacher".
const SelfAttention& relation_layer(const Layer& net, std::int64_t layer, const char* whose);

// Adds grad_scale times the gradient of the relations' loss where it arises in backward.
class RelationTap : public AttentionTap {
 public:
  // teacher: as TeacherAnswer::states has them. heads 0: as many as the layer has.
  RelationTap(const SelfAttention& layer, View teacher, std::int64_t heads, double grad_scale);

  void on_backward(View qkv, View dqkv, const Pass& pass) override;
  double loss() const { return loss_; }  // summed over texts; after backward

 private:
  View teacher_;
  std::size_t heads_;
  double grad_scale_, loss_ = 0;
};

}  // namespace bitlab
