#pragma once
// Next-token prediction on a text: where training batches come from and how a model is judged.
#include <cstdint>

#include "core/base/thread_team.h"
#include "core/data/lm_dataset.h"
#include "experiments/train_step.h"
#include "experiments/trainer_config.h"
#include "layers/models/model.h"

namespace bitlab {

enum class Split { Train, Val };

struct Evaluation {
  double loss = 0;  // mean cross-entropy, nats a token
  double standard_error =
      0;  // of that mean, over sequences: tokens of one sequence are not independent
  std::int64_t tokens = 0;  // judged; 0 if the split is not evaluated
};

class LanguageTask {
 public:
  // The data must outlive the task.
  LanguageTask(const LmDataset& data,
               const EvalConfig& eval,
               std::size_t seq_len,
               std::size_t batch_size,
               std::uint64_t seed);

  BatchSource train_batches() const;

  // Validation by eval.protocol: the whole split, or eval.batches random batches (the same at every
  // call). The train split by eval.train_batches random batches. Same bits for any team.
  Evaluation evaluate(const LanguageModel& model, Split split, ThreadTeam& team) const;

 private:
  const LmDataset& data_;
  EvalConfig eval_;
  std::size_t seq_len_, batch_size_;
  std::uint64_t seed_;
};

}  // namespace bitlab
