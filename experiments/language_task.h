#pragma once
// Next-token prediction on a text: where training batches come from and how a model is judged.
#include <cstdint>

#include "core/data/lm_dataset.h"
#include "experiments/task.h"

namespace bitlab {

class LanguageTask : public Task {
 public:
  // The data must outlive the task.
  LanguageTask(const LmDataset& data,
               const EvalConfig& eval,
               std::size_t seq_len,
               std::size_t batch_size,
               std::uint64_t seed);

  BatchSource train_batches() const override;

  // Validation by eval.protocol: the whole split, or eval.batches random batches (the same at every
  // call). The train split by eval.train_batches random batches. Same bits for any team.
  Evaluation evaluate(const LanguageModel& model, Split split, ThreadTeam& team) const override;

 private:
  const LmDataset& data_;
  EvalConfig eval_;
  std::size_t seq_len_, batch_size_;
  std::uint64_t seed_;
};

}  // namespace bitlab
