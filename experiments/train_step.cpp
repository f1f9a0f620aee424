#include "experiments/train_step.h"

#include <cmath>

#include "core/simd/kernels.h"

namespace bitlab {

TrainStep::TrainStep(const LanguageModel& model,
                     const TrainConfig& config,
                     std::uint64_t seed,
                     BatchSource source)
    : model_(model),
      source_(std::move(source)),
      seed_(seed),
      pieces_(static_cast<std::size_t>(config.accumulate * config.shards)),
      rows_(static_cast<std::size_t>(config.batch_size / config.shards)),
      shards_(static_cast<std::size_t>(config.shards)) {
  const std::size_t tokens = rows_ * model.seq_len();
  for (Shard& shard : shards_) {
    shard.gradients = std::make_unique<Gradients>(model.params().size());
    shard.tokens.resize(tokens);
    shard.targets.resize(tokens);
  }
  std::size_t levels = 1;
  while ((std::size_t{1} << (levels - 1)) < pieces_) ++levels;
  for (std::size_t i = 0; i < levels; ++i)
    levels_.push_back({std::make_unique<Gradients>(model.params().size()), false});
}

double TrainStep::run(std::uint64_t step, ThreadTeam& team) {
  double loss = 0;
  for (std::size_t piece = 0; piece < pieces_; piece += shards_.size()) {
    team.run(shards_.size(), [&](std::size_t i) { run_shard(shards_[i], step, piece + i); });
    for (Shard& shard : shards_) {
      loss += shard.loss;
      add_to_tree(shard.gradients);
    }
  }
  finish_tree();
  return loss / static_cast<double>(tokens_per_step());
}

void TrainStep::run_shard(Shard& shard, std::uint64_t step, std::size_t piece) {
  source_(step, piece * rows_, rows_, shard.tokens.data(), shard.targets.data());
  shard.gradients->clear();
  Pass& pass = shard.pass;
  pass.batch = rows_;
  pass.seq_len = model_.seq_len();
  pass.tokens = shard.tokens.data();
  pass.training = true;
  pass.seed = seed_;
  pass.step = step;
  pass.first_row = piece * rows_ * pass.seq_len;
  pass.gradients = shard.gradients.get();
  shard.loss = model_.loss_and_gradients(pass, shard.targets.data(),
                                         1.0 / static_cast<double>(tokens_per_step()));
}

// Swaps the leaf in rather than copying it: the shard goes on with a spent buffer.
void TrainStep::add_to_tree(std::unique_ptr<Gradients>& leaf) {
  std::size_t level = 0;
  for (; levels_[level].used; ++level) {
    const View left = levels_[level].sum->values();
    simd::kernels().add(left.size(), left.data, leaf->values().data);
    levels_[level].used = false;
  }
  std::swap(levels_[level].sum, leaf);
  levels_[level].used = true;
}

// Joins what a number of pieces that is no power of two leaves over; the result goes to level 0.
void TrainStep::finish_tree() {
  std::size_t result = levels_.size();
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    if (!levels_[level].used) continue;
    levels_[level].used = false;
    if (result != levels_.size()) {
      const View right = levels_[result].sum->values();
      simd::kernels().add(right.size(), right.data, levels_[level].sum->values().data);
    }
    result = level;
  }
  std::swap(levels_.front().sum, levels_[result].sum);
}

double TrainStep::gradient_norm() const {
  const View g = levels_.front().sum->values();
  return std::sqrt(simd::kernels().sum_of_squares(g.size(), g.data));
}

std::size_t TrainStep::activation_bytes() const {
  std::size_t bytes = 0;
  for (const Shard& shard : shards_) bytes += shard.pass.arena.capacity();
  return bytes;
}

}  // namespace bitlab
