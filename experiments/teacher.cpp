#include "experiments/teacher.h"

#include <algorithm>

#include "core/base/error.h"
#include "experiments/relation_distillation.h"
#include "experiments/text_batches.h"
#include "layers/block_output.h"

namespace bitlab {

namespace {

// Keeps what the layer has.
class Recorder : public AttentionTap {
 public:
  Recorder(const SelfAttention& layer, real* to) : AttentionTap(layer), to_(to) {}
  void on_forward(View qkv, const Pass&) override { std::copy_n(qkv.data, qkv.size(), to_); }

 private:
  real* to_;
};

// Appends what comes out of blocks.
class BlockRecorder : public BlockTap {
 public:
  BlockRecorder(BlockStates& to, std::size_t rows) : to_(to), rows_(rows) {
    for (std::vector<real>& block : to_.blocks) block.clear();
  }
  void on_forward(std::size_t block, View x, const Pass&) override {
    to_.width = x.cols;
    if (to_.blocks.size() <= block) to_.blocks.resize(block + 1);
    to_.blocks[block].reserve(rows_ * x.cols);
    to_.blocks[block].insert(to_.blocks[block].end(), x.data, x.data + x.size());
  }

 private:
  BlockStates& to_;
  std::size_t rows_;  // of all passes
};

std::size_t qkv_width(const AttentionShape& shape) {
  return (shape.n_head + 2 * shape.n_kv_head) * shape.d_head;
}

}  // namespace

View BlockStates::of(std::size_t block) const {
  const std::vector<real>& values = blocks[block];
  return {const_cast<real*>(values.data()), values.size() / width, width};
}

Teacher::Teacher(std::unique_ptr<const LanguageModel> model, const TeacherStates& states)
    : model_(std::move(model)), tells_blocks_(states.blocks) {
  if (!states.attention) return;
  layer_ = &relation_layer(model_->net(), *states.attention, "the teacher");
  width_ = qkv_width(layer_->shape());
}

std::unique_ptr<Pass> Teacher::spare_pass() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (spare_.empty()) return std::make_unique<Pass>();
  auto pass = std::move(spare_.back());
  spare_.pop_back();
  return pass;
}

void Teacher::ask(const std::vector<std::int32_t>& tokens,
                  const std::vector<std::size_t>& begins,
                  TeacherAnswer& answer) const {
  answer.logits.clear();
  answer.states.resize(tokens.size() * width_);
  if (!tells_blocks_) answer.hidden = {};
  BlockRecorder block_recorder(answer.hidden, tokens.size());
  std::unique_ptr<Pass> pass = spare_pass();
  pass->block_tap = tells_blocks_ ? &block_recorder : nullptr;
  std::vector<std::size_t> some;  // texts of one pass
  for (std::size_t first = 0, end = 0; first + 1 < begins.size(); first = end) {
    some.clear();
    do some.push_back(begins[end++] - begins[first]);
    while (end + 1 < begins.size() && begins[end + 1] - begins[first] <= kTokensPerPass);
    some.push_back(begins[end] - begins[first]);
    pass->batch = end - first;
    pass->seq_len = model_->seq_len();
    pass->tokens = tokens.data() + begins[first];
    pass->begins = some.data();
    std::optional<Recorder> recorder;
    if (layer_) recorder.emplace(*layer_, answer.states.data() + begins[first] * width_);
    pass->tap = recorder ? &*recorder : nullptr;
    const View z = model_->logits(*pass);
    answer.logits.insert(answer.logits.end(), z.data, z.data + z.size());
  }
  if (tells_blocks_ && answer.hidden.blocks.empty())
    throw UsageError("task.classification.hidden_weight",
                     "needs a teacher with blocks, but its model has none");
  const std::lock_guard<std::mutex> lock(mutex_);
  spare_.push_back(std::move(pass));
}

RememberedLogits::RememberedLogits(std::shared_ptr<const Teacher> teacher,
                                   const LabelledTokens& texts)
    : teacher_(std::move(teacher)), texts_(texts), known_(texts.size()) {}

void RememberedLogits::ask(const std::vector<std::size_t>& which, std::vector<float>& logits) {
  std::vector<std::size_t> fresh;
  std::vector<std::int32_t> tokens;
  std::vector<std::size_t> begins;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const std::size_t i : which) {
      if (!known_[i].empty()) continue;
      fresh.push_back(i);
      append_text(texts_.tokens_of(i), tokens, begins);
    }
  }
  TeacherAnswer answer;
  teacher_->ask(tokens, begins, answer);
  // Another thread may have asked for the same text: it got the same bits.
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::size_t width = fresh.empty() ? 0 : answer.logits.size() / fresh.size();
  for (std::size_t b = 0; b < fresh.size(); ++b)
    known_[fresh[b]].assign(answer.logits.begin() + static_cast<std::ptrdiff_t>(b * width),
                            answer.logits.begin() + static_cast<std::ptrdiff_t>((b + 1) * width));
  logits.clear();
  for (const std::size_t i : which) logits.insert(logits.end(), known_[i].begin(), known_[i].end());
}

}  // namespace bitlab
