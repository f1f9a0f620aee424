#include "experiments/language_task.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace bitlab {

namespace {

// Fills `count` sequences from the `first` on.
using SequenceSource = std::function<void(
    std::size_t first, std::size_t count, std::int32_t* tokens, std::int32_t* targets)>;

constexpr std::size_t kTokensPerPass = 512;  // activations of a pass stay in cache

// Loss sum and number of targets of each sequence, in order.
struct SequenceLosses {
  std::vector<double> loss;
  std::vector<std::int64_t> targets;
};

SequenceLosses judge(const LanguageModel& model,
                     const SequenceSource& source,
                     std::size_t sequences,
                     std::size_t seq_len,
                     ThreadTeam& team) {
  SequenceLosses result{std::vector<double>(sequences), std::vector<std::int64_t>(sequences)};
  const std::size_t chunk = std::max<std::size_t>(1, kTokensPerPass / seq_len);
  // One task a thread, each with one Pass for its chunks; which thread judges a sequence changes no
  // bits.
  team.run(team.size(), [&](std::size_t worker) {
    Pass pass;
    pass.seq_len = seq_len;
    std::vector<std::int32_t> tokens(chunk * seq_len), targets(chunk * seq_len);
    std::vector<double> losses(chunk * seq_len);
    for (std::size_t first = worker * chunk; first < sequences; first += team.size() * chunk) {
      pass.batch = std::min(chunk, sequences - first);
      source(first, pass.batch, tokens.data(), targets.data());
      pass.tokens = tokens.data();
      model.loss(pass, targets.data(), losses.data());
      for (std::size_t r = 0; r < pass.rows(); ++r) {
        result.loss[first + r / seq_len] += losses[r];
        result.targets[first + r / seq_len] += targets[r] >= 0;
      }
    }
  });
  return result;
}

// Mean over tokens; its standard error from the residuals of the sequences (a ratio estimator).
Evaluation summarise(const SequenceLosses& judged) {
  Evaluation result;
  double total = 0;
  for (std::size_t i = 0; i < judged.loss.size(); ++i) {
    total += judged.loss[i];
    result.tokens += judged.targets[i];
  }
  const auto tokens = static_cast<double>(result.tokens);
  const auto n = static_cast<double>(judged.loss.size());
  result.loss = total / tokens;
  double squares = 0;
  for (std::size_t i = 0; i < judged.loss.size(); ++i) {
    const double residual = judged.loss[i] - result.loss * static_cast<double>(judged.targets[i]);
    squares += residual * residual;
  }
  result.standard_error = n > 1 ? std::sqrt(squares * n / (n - 1)) / tokens : 0;
  return result;
}

}  // namespace

LanguageTask::LanguageTask(const LmDataset& data,
                           const EvalConfig& eval,
                           std::size_t seq_len,
                           std::size_t batch_size,
                           std::uint64_t seed)
    : data_(data), eval_(eval), seq_len_(seq_len), batch_size_(batch_size), seed_(seed) {}

BatchSource LanguageTask::train_batches() const {
  return [batches = RandomBatches(data_.train, seq_len_, seed_, "batch")](
             std::uint64_t step, std::size_t first, std::size_t count, std::int32_t* tokens,
             std::int32_t* targets) { batches.fill(step, first, count, tokens, targets); };
}

Evaluation LanguageTask::evaluate(const LanguageModel& model, Split split, ThreadTeam& team) const {
  if (split == Split::Val && eval_.protocol == "full") {
    const Windows windows(data_.val, seq_len_);
    return summarise(judge(
        model,
        [&](std::size_t first, std::size_t count, std::int32_t* tokens, std::int32_t* targets) {
          windows.fill(first, count, tokens, targets);
        },
        windows.count(), seq_len_, team));
  }
  const bool val = split == Split::Val;
  const std::int64_t count = val ? eval_.batches : eval_.train_batches;
  if (count == 0) return {};
  const RandomBatches batches(val ? data_.val : data_.train, seq_len_, seed_,
                              val ? "eval/val" : "eval/train");
  return summarise(judge(
      model,
      [&](std::size_t first, std::size_t rows, std::int32_t* tokens, std::int32_t* targets) {
        batches.fill(0, first, rows, tokens, targets);
      },
      static_cast<std::size_t>(count) * batch_size_, seq_len_, team));
}

}  // namespace bitlab
