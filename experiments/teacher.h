#pragma once
// A trained model that another one learns from.
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "experiments/labelled_dataset.h"
#include "layers/attention.h"
#include "layers/models/model.h"

namespace bitlab {

// What comes out of each block, a row a token.
struct BlockStates {
  std::size_t width = 0;
  std::vector<std::vector<real>> blocks;

  View of(std::size_t block) const;  // not to be written to
};

// What is told beside logits.
struct TeacherStates {
  std::optional<std::int64_t> attention = {};  // of this layer, counted from 0; -1: the last
  bool blocks = false;
};

// What a teacher has to say of some texts.
struct TeacherAnswer {
  std::vector<float> logits;  // a row a text
  // Queries, keys and values of one layer of its attention, side by side: a row a token. Empty
  // without a layer.
  std::vector<real> states;
  BlockStates hidden;  // empty unless asked for
};

// May be asked by several threads at once; answers in evaluation, without dropout.
class Teacher {
 public:
  // Throws UsageError if the model has no such layer of attention.
  explicit Teacher(std::unique_ptr<const LanguageModel> model, const TeacherStates& states = {});

  // Of these texts (Pass::tokens, Pass::begins). A text's rows have the same bits in any company.
  void ask(const std::vector<std::int32_t>& tokens,
           const std::vector<std::size_t>& begins,
           TeacherAnswer& answer) const;

  std::size_t states_width() const { return width_; }  // of a row; 0 without a layer

 private:
  std::unique_ptr<Pass> spare_pass() const;

  std::unique_ptr<const LanguageModel> model_;
  const SelfAttention* layer_ = nullptr;
  std::size_t width_ = 0;
  bool tells_blocks_ = false;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Pass>> spare_;  // their memory is used again
};

// A teacher's logits of texts, asked for when a text first comes: the first epoch costs the
// teacher's passes, the others nothing. May be asked by several threads at once.
class RememberedLogits {
 public:
  // `texts` must outlive it.
  RememberedLogits(std::shared_ptr<const Teacher> teacher, const LabelledTokens& texts);

  // A row for each of these texts, by their indices.
  void ask(const std::vector<std::size_t>& which, std::vector<float>& logits);

 private:
  std::shared_ptr<const Teacher> teacher_;
  const LabelledTokens& texts_;
  std::mutex mutex_;
  std::vector<std::vector<float>> known_;  // by text; empty: not asked for yet
};

}  // namespace bitlab
