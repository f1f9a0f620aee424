#include "experiments/language_task.h"

namespace bitlab {

LanguageTask::LanguageTask(const LmDataset& data,
                           const EvalConfig& eval,
                           std::size_t seq_len,
                           std::size_t batch_size,
                           std::uint64_t seed)
    : data_(data), eval_(eval), seq_len_(seq_len), batch_size_(batch_size), seed_(seed) {}

BatchSource LanguageTask::train_batches() const {
  return sequences(
      seq_len_, [batches = RandomBatches(data_.train, seq_len_, seed_, "batch")](
                    std::uint64_t step, std::size_t first, std::size_t count, std::int32_t* tokens,
                    std::int32_t* targets) { batches.fill(step, first, count, tokens, targets); });
}

Evaluation LanguageTask::evaluate(const LanguageModel& model, Split split, ThreadTeam& team) const {
  if (split == Split::Val && eval_.protocol == "full")
    return evaluate_windows(model, Windows(data_.val, seq_len_), seq_len_, team);
  const bool val = split == Split::Val;
  const std::int64_t count = val ? eval_.batches : eval_.train_batches;
  if (count == 0) return {};
  const RandomBatches batches(val ? data_.val : data_.train, seq_len_, seed_,
                              val ? "eval/val" : "eval/train");
  return evaluate_sequences(
      model,
      [&](std::size_t first, std::size_t rows, std::int32_t* tokens, std::int32_t* targets) {
        batches.fill(0, first, rows, tokens, targets);
      },
      static_cast<std::size_t>(count) * batch_size_, seq_len_, team);
}

}  // namespace bitlab
