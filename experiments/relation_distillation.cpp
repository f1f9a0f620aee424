#include "experiments/relation_distillation.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/ops/relations.h"
#include "experiments/text_batches.h"

namespace bitlab {

namespace {

// Keeps what the layer has.
class Recorder : public AttentionTap {
 public:
  Recorder(const SelfAttention& layer, real* to) : AttentionTap(layer), to_(to) {}
  void on_forward(View qkv, const Pass&) override { to_ = std::copy_n(qkv.data, qkv.size(), to_); }

 private:
  real* to_;
};

std::size_t qkv_width(const AttentionShape& shape) {
  return (shape.n_head + 2 * shape.n_kv_head) * shape.d_head;
}

}  // namespace

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

RelationTeacher::RelationTeacher(std::unique_ptr<const LanguageModel> model, std::int64_t layer)
    : model_(std::move(model)),
      layer_(relation_layer(model_->net(), layer, "the teacher")),
      width_(qkv_width(layer_.shape())) {}

std::unique_ptr<Pass> RelationTeacher::spare_pass() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (spare_.empty()) return std::make_unique<Pass>();
  auto pass = std::move(spare_.back());
  spare_.pop_back();
  return pass;
}

void RelationTeacher::states(const std::vector<std::int32_t>& tokens,
                             const std::vector<std::size_t>& begins,
                             std::vector<real>& qkv) const {
  qkv.resize(tokens.size() * width_);
  std::unique_ptr<Pass> pass = spare_pass();
  std::vector<std::size_t> some;
  for (std::size_t first = 0, end = 0; first + 1 < begins.size(); first = end) {
    some.clear();
    do some.push_back(begins[end++] - begins[first]);
    while (end + 1 < begins.size() && begins[end + 1] - begins[first] <= kTokensPerPass);
    some.push_back(begins[end] - begins[first]);
    Recorder recorder(layer_, qkv.data() + begins[first] * width_);
    pass->batch = end - first;
    pass->seq_len = model_->seq_len();
    pass->tokens = tokens.data() + begins[first];
    pass->begins = some.data();
    pass->tap = &recorder;
    model_->logits(*pass);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  spare_.push_back(std::move(pass));
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
