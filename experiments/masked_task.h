#pragma once
// The masked tokens of a text, as the built-in task masked-lm (Devlin et al., 2019, arXiv
// 1810.04805, 3.1).
#include <memory>
#include <vector>

#include "core/base/rng.h"
#include "experiments/task.h"

namespace bitlab {

// Hides tokens of texts. Of the tokens that are not special, 15 % are targets: rounded, at least
// one where there is any. A target becomes [MASK] in 80 % of the cases, any token of the vocabulary
// in 10 %, and stays in 10 %.
class Masking {
 public:
  // Throws UsageError if the tokenizer has no [MASK].
  explicit Masking(const Tokenizer& tokenizer);

  // How many targets a text has.
  std::size_t count(std::span<const std::int32_t> text) const;

  // Hides tokens of `text`, draws of `rng` numbered by `key`, and appends where the targets are
  // (ascending, `first_row` added) and what they were.
  void apply(std::span<std::int32_t> text,
             const Rng& rng,
             std::uint64_t key,
             std::size_t first_row,
             std::vector<std::size_t>& rows,
             std::vector<std::int32_t>& targets) const;

 private:
  std::vector<std::size_t> candidates(std::span<const std::int32_t> text) const;

  std::vector<bool> special_;  // by token
  std::int32_t mask_ = -1;
  std::uint64_t vocab_size_;
};

// Training goes through the texts as TextOrder has it, without padding, and draws masks anew each
// time a text comes. The loss of a step is the mean over all its targets, however its texts are cut
// into pieces. Labels of texts are not looked at.
class MaskedTask : public Task {
 public:
  // context.labelled and context.tokenizer must be there. Throws UsageError if the tokenizer has no
  // [MASK], or the texts no token that could be masked.
  MaskedTask(const TaskContext& context, const EvalConfig& eval);

  BatchSource train_batches() const override;

  // Val: the texts of test. Which of them, and of train: judged_texts(). The masks of a text are
  // the same at every call and for every seed. Same bits for any team.
  Evaluation evaluate(const LanguageModel& model, Split split, ThreadTeam& team) const override;

 private:
  const LabelledDataset& data_;
  std::shared_ptr<const Masking> masking_;
  EvalConfig eval_;
  std::size_t batch_size_, step_size_;
  std::uint64_t seed_;
};

}  // namespace bitlab
