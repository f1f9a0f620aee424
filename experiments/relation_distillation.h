#pragma once
// A student's attention learns the relations between positions that a teacher's has
// (core/ops/relations.h).
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "layers/attention.h"
#include "layers/models/model.h"

namespace bitlab {

struct RelationSettings {
  double weight = 0;        // of the relations in the loss of a text; 0: off
  std::int64_t layer = -1;  // of attention, counted from 0, in student and teacher; -1: the last
  std::int64_t heads = 0;   // of relations; 0: as many as the student's attention has
};

// The layer of attention that `layer` names. Throws UsageError if the net has none such, or one
// whose keys are shared by heads; `whose`: "the teacher".
const SelfAttention& relation_layer(const Layer& net, std::int64_t layer, const char* whose);

// A trained model that is asked what one layer of its attention has.
class RelationTeacher {
 public:
  // Throws UsageError if the model has no such layer.
  RelationTeacher(std::unique_ptr<const LanguageModel> model, std::int64_t layer);

  // Queries, keys and values of these texts (Pass::tokens, Pass::begins), side by side in each row,
  // in evaluation: a row a token. May be called by several threads at once; a text's rows have the
  // same bits in any company.
  void states(const std::vector<std::int32_t>& tokens,
              const std::vector<std::size_t>& begins,
              std::vector<real>& qkv) const;

  std::size_t width() const { return width_; }  // of a row

 private:
  std::unique_ptr<Pass> spare_pass() const;

  std::unique_ptr<const LanguageModel> model_;
  const SelfAttention& layer_;
  std::size_t width_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Pass>> spare_;  // their memory is used again
};

// Adds grad_scale times the gradient of the relations' loss where it arises in backward.
class RelationTap : public AttentionTap {
 public:
  // teacher: as RelationTeacher::states gives them. heads 0: as many as the layer has.
  RelationTap(const SelfAttention& layer, View teacher, std::int64_t heads, double grad_scale);

  void on_backward(View qkv, View dqkv, const Pass& pass) override;
  double loss() const { return loss_; }  // summed over texts; after backward

 private:
  View teacher_;
  std::size_t heads_;
  double grad_scale_, loss_ = 0;
};

}  // namespace bitlab
