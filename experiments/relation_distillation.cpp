#include "experiments/relation_distillation.h"

#include "core/base/error.h"
#include "core/ops/relations.h"

namespace bitlab {

const SelfAttention& relation_layer(const Layer& net, std::int64_t layer, const char* whose) {
  const auto layers = self_attention_layers(net);
  const auto count = static_cast<std::int64_t>(layers.size());
  const std::int64_t index = layer < 0 ? count - 1 : layer;
  if (index < 0 || index >= count)
    throw UsageError("task.classification.relation_layer",
                     "must be below the layers of attention, but is " + std::to_string(layer) +
                         " and " + whose + " has " + std::to_string(count));
  const SelfAttention& found = *layers[static_cast<std::size_t>(index)];
  if (found.shape().n_kv_head != found.shape().n_head)
    throw UsageError(
        "task.classification.relation_weight",
        "must be 0 where heads of attention share keys, as " + std::string(whose) + "'s do",
        "relations are those of queries, keys and values of the same width");
  return found;
}

RelationTap::RelationTap(const SelfAttention& layer,
                         View teacher,
                         std::int64_t heads,
                         double grad_scale)
    : AttentionTap(layer),
      teacher_(teacher),
      heads_(heads > 0 ? static_cast<std::size_t>(heads) : layer.shape().n_head),
      grad_scale_(grad_scale) {}

void RelationTap::on_backward(View qkv, View dqkv, const Pass& pass) {
  loss_ += relation_loss(qkv, teacher_, pass.begins, pass.batch, heads_, grad_scale_, dqkv);
}

}  // namespace bitlab
