#pragma once
// Loss and gradient of one optimiser step: the part of training that is fast, parallel and exact.
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/base/thread_team.h"
#include "experiments/trainer_config.h"
#include "layers/models/model.h"

namespace bitlab {

// Fills rows [first, first + count) of the whole batch of step `step`: count * seq_len tokens and
// targets.
using BatchSource = std::function<void(std::uint64_t step,
                                       std::size_t first,
                                       std::size_t count,
                                       std::int32_t* tokens,
                                       std::int32_t* targets)>;

// A step's batch is accumulate x shards pieces of batch_size / shards sequences. Each piece runs
// forward and backward on one thread with gradients of its own; these are summed in the order of
// the pieces, over a balanced binary tree up to 8 pieces, one after the other beyond: a tree over N
// pieces holds up to log2(N) + 1 gradients at once. So threads decide who computes a piece, never
// what comes out, and N micro-batches of one shard give the bits of one batch of N shards.
class TrainStep {
 public:
  TrainStep(const LanguageModel& model,
            const TrainConfig& config,
            std::uint64_t seed,
            BatchSource source);

  // Mean loss of the step's batch in nats a token; gradient() holds its gradient.
  double run(std::uint64_t step, ThreadTeam& team);

  View gradient() { return levels_.front().sum->values(); }
  double gradient_norm(ThreadTeam& team);  // of gradient()
  std::size_t tokens_per_step() const { return pieces_ * rows_ * model_.seq_len(); }
  std::size_t activation_bytes() const;
  std::size_t gradient_buffers() const;  // that were made so far; after a step, all of them

 private:
  struct Shard {
    Pass pass;
    std::unique_ptr<Gradients> gradients;
    std::vector<std::int32_t> tokens, targets;
    double loss = 0;
  };
  // A binary counter of partial sums: level k holds the sum of 2^k neighbouring pieces, the last
  // level of all that came to it. Buffers wander: who needs one takes an unused level's.
  struct Level {
    std::unique_ptr<Gradients> sum;
    bool used = false;
  };

  std::unique_ptr<Gradients> spare_gradients();
  void run_shard(Shard& shard, std::uint64_t step, std::size_t piece);
  void add_to_tree(std::unique_ptr<Gradients>& leaf, ThreadTeam& team);
  void finish_tree(ThreadTeam& team);

  const LanguageModel& model_;
  BatchSource source_;
  std::uint64_t seed_;
  std::size_t pieces_, rows_;  // pieces a step, sequences a piece
  std::vector<Shard> shards_;
  std::vector<Level> levels_;
  std::vector<double> squares_;  // of the chunks of the gradient
};

// Gradient buffers, each of the size of the model, that a TrainStep of this configuration makes.
std::size_t gradient_buffers(const TrainConfig& config);

}  // namespace bitlab
