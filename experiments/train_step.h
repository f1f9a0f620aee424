#pragma once
// Loss and gradient of one optimiser step: the part of training that is fast, parallel and exact.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/thread_team.h"
#include "core/ops/distillation.h"
#include "experiments/hidden_distillation.h"
#include "experiments/relation_distillation.h"
#include "experiments/teacher.h"
#include "experiments/trainer_config.h"
#include "layers/models/model.h"

namespace bitlab {

// Sequences that go through a model together, and what is to be learned of them.
struct Batch {
  std::vector<std::int32_t> tokens;
  std::vector<std::size_t> begins;    // of sequences of various lengths, as in Pass; else empty
  std::vector<std::int32_t> targets;  // one a row of logits; below 0: counts nothing
  // Rows of which logits are wanted, as in Pass; none: of all.
  std::optional<std::vector<std::size_t>> picked = {};
  // Targets of all pieces of the step together, which the loss is the mean over. 0: each piece has
  // as many as this one.
  std::size_t step_targets = 0;
  // Of a teacher, and how much its logits, the relations of its states and its hidden states count.
  // What is empty is not learned.
  TeacherAnswer teacher;
  Distillation distillation;
  RelationSettings relations;
  double hidden_weight = 0;
};

// Makes sequences [first, first + count) of the whole batch of step `step`. `batch` is what the
// last call left: its memory is used again.
using BatchSource =
    std::function<void(std::uint64_t step, std::size_t first, std::size_t count, Batch& batch)>;

// Of sequences that all have seq_len positions: fill makes count * seq_len tokens and targets.
BatchSource sequences(std::size_t seq_len,
                      std::function<void(std::uint64_t step,
                                         std::size_t first,
                                         std::size_t count,
                                         std::int32_t* tokens,
                                         std::int32_t* targets)> fill);

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

  // Mean loss of the step's batch in nats a target; gradient() holds its gradient.
  double run(std::uint64_t step, ThreadTeam& team);

  View gradient() { return levels_.front().sum->values(); }
  double gradient_norm(ThreadTeam& team);         // of gradient()
  std::size_t tokens() const { return tokens_; }  // of the last step
  double flops() const { return flops_; }         // of the last step, 6 a multiply-add
  std::size_t activation_bytes() const;
  std::size_t gradient_buffers() const;  // that were made so far; after a step, all of them

 private:
  struct Shard {
    Pass pass;
    std::unique_ptr<Gradients> gradients;
    Batch batch;
    double loss = 0, flops = 0;
  };
  // A binary counter of partial sums: level k holds the sum of 2^k neighbouring pieces, the last
  // level of all that came to it. Buffers wander: who needs one takes an unused level's.
  struct Level {
    std::unique_ptr<Gradients> sum;
    bool used = false;
  };

  std::unique_ptr<Gradients> spare_gradients();
  void run_shard(Shard& shard, std::uint64_t step, std::size_t piece);
  double step_targets(const Batch& batch) const;
  void add_to_tree(std::unique_ptr<Gradients>& leaf, ThreadTeam& team);
  void finish_tree(ThreadTeam& team);

  const LanguageModel& model_;
  BatchSource source_;
  std::uint64_t seed_;
  std::size_t pieces_, rows_;  // pieces a step, sequences a piece
  std::size_t tokens_ = 0;
  double flops_ = 0;
  std::vector<Shard> shards_;
  std::vector<Level> levels_;
  std::vector<double> squares_;  // of the chunks of the gradient
};

// Gradient buffers, each of the size of the model, that a TrainStep of this configuration makes.
std::size_t gradient_buffers(const TrainConfig& config);

}  // namespace bitlab
