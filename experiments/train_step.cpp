#include "experiments/train_step.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "core/base/error.h"
#include "core/simd/kernels.h"

namespace bitlab {

namespace {

constexpr std::size_t kLargestTree = 8;               // pieces
constexpr std::size_t kChunk = std::size_t{1} << 16;  // values one thread takes at a time

std::size_t chunks(std::size_t size) { return (size + kChunk - 1) / kChunk; }

std::size_t tree_levels(std::size_t pieces) {
  std::size_t levels = 1;
  if (pieces > kLargestTree) return levels;
  while ((std::size_t{1} << (levels - 1)) < pieces) ++levels;
  return levels;
}

// to += from, shared among threads; element by element, so the cut changes no bits.
void add_shared(View from, View to, ThreadTeam& team) {
  team.run(chunks(to.size()), [&](std::size_t i) {
    const std::size_t begin = i * kChunk, n = std::min(kChunk, to.size() - begin);
    simd::kernels().add(n, from.data + begin, to.data + begin);
  });
}

// Of a pass forward and backward. Sequences may have various lengths.
double pass_flops(const LanguageModel& model, const Pass& pass) {
  if (!pass.begins) return static_cast<double>(pass.rows()) * model.train_flops_per_token();
  double flops = 0;
  for (std::size_t b = 0; b < pass.batch; ++b) {
    const std::size_t length = pass.length_of(b);
    flops += 6 * static_cast<double>(length) * model.net().macs_per_row(length);
  }
  return flops;
}

}  // namespace

BatchSource sequences(std::size_t seq_len,
                      std::function<void(std::uint64_t step,
                                         std::size_t first,
                                         std::size_t count,
                                         std::int32_t* tokens,
                                         std::int32_t* targets)> fill) {
  return [seq_len, fill = std::move(fill)](std::uint64_t step, std::size_t first, std::size_t count,
                                           Batch& batch) {
    batch.tokens.resize(count * seq_len);
    batch.targets.resize(count * seq_len);
    fill(step, first, count, batch.tokens.data(), batch.targets.data());
  };
}

TrainStep::TrainStep(const LanguageModel& model,
                     const TrainConfig& config,
                     std::uint64_t seed,
                     BatchSource source)
    : model_(model),
      source_(std::move(source)),
      seed_(seed),
      pieces_(static_cast<std::size_t>(config.accumulate * config.shards)),
      rows_(static_cast<std::size_t>(config.batch_size / config.shards)),
      shards_(static_cast<std::size_t>(config.shards)),
      levels_(tree_levels(pieces_)),
      squares_(chunks(model.params().size())) {}

std::unique_ptr<Gradients> TrainStep::spare_gradients() {
  for (Level& level : levels_)
    if (level.sum && !level.used) return std::move(level.sum);
  return std::make_unique<Gradients>(model_.params().size());
}

double TrainStep::run(std::uint64_t step, ThreadTeam& team) {
  double loss = 0;
  tokens_ = 0;
  flops_ = 0;
  for (std::size_t piece = 0; piece < pieces_; piece += shards_.size()) {
    for (Shard& shard : shards_)
      if (!shard.gradients) shard.gradients = spare_gradients();
    team.run(shards_.size(), [&](std::size_t i) { run_shard(shards_[i], step, piece + i); });
    for (Shard& shard : shards_) {
      loss += shard.loss;
      tokens_ += shard.batch.tokens.size();
      flops_ += shard.flops;
      add_to_tree(shard.gradients, team);
    }
  }
  finish_tree(team);
  return loss / step_targets(shards_.front().batch);
}

double TrainStep::step_targets(const Batch& batch) const {
  return static_cast<double>(batch.step_targets > 0 ? batch.step_targets
                                                    : pieces_ * batch.targets.size());
}

namespace {

// The loss of labels or tokens, and of a teacher's logits where there are some.
double loss_of_logits(const LanguageModel& model, Pass& pass, const Batch& batch, double scale) {
  if (batch.teacher.logits.empty())
    return model.loss_and_gradients(pass, batch.targets.data(), scale);
  return model.loss_and_gradients(pass, [&](View z) {
    if (batch.teacher.logits.size() != z.size())
      throw UsageError("task.classification.teacher",
                       "must tell as many labels apart as the model, " + std::to_string(z.cols) +
                           " of each of " + std::to_string(z.rows) + " texts, but gives " +
                           std::to_string(batch.teacher.logits.size()) + " values");
    return distillation_loss(z, batch.targets.data(), batch.teacher.logits.data(),
                             batch.distillation, scale);
  });
}

// The same and that of a teacher's states, whose gradients join in backward.
double loss_of_batch(const LanguageModel& model, Pass& pass, Batch& batch, double scale) {
  std::optional<RelationTap> relations;
  if (!batch.teacher.states.empty())
    relations.emplace(
        relation_layer(model.net(), batch.relations.layer, "the model"),
        View{batch.teacher.states.data(), pass.rows(), batch.teacher.states.size() / pass.rows()},
        batch.relations.heads, batch.relations.weight * scale);
  std::optional<HiddenTap> hidden;
  if (!batch.teacher.hidden.blocks.empty())
    hidden.emplace(batch.teacher.hidden, model.blocks(), batch.hidden_weight * scale);
  pass.tap = relations ? &*relations : nullptr;
  pass.block_tap = hidden ? &*hidden : nullptr;
  double loss = loss_of_logits(model, pass, batch, scale);
  pass.tap = nullptr;
  pass.block_tap = nullptr;
  if (relations) loss += batch.relations.weight * relations->loss();
  if (hidden) loss += batch.hidden_weight * hidden->loss();
  return loss;
}

}  // namespace

void TrainStep::run_shard(Shard& shard, std::uint64_t step, std::size_t piece) {
  Batch& batch = shard.batch;
  source_(step, piece * rows_, rows_, batch);
  shard.gradients->clear();
  Pass& pass = shard.pass;
  pass.batch = rows_;
  pass.seq_len = model_.seq_len();
  pass.tokens = batch.tokens.data();
  pass.begins = batch.begins.empty() ? nullptr : batch.begins.data();
  pass.picked = batch.picked ? &*batch.picked : nullptr;
  pass.training = true;
  pass.seed = seed_;
  pass.step = step;
  pass.first_row = piece * rows_ * pass.seq_len;
  pass.gradients = shard.gradients.get();
  shard.flops = pass_flops(model_, pass);
  const double scale = 1.0 / step_targets(batch);
  shard.loss = loss_of_batch(model_, pass, batch, scale);
}

// Swaps the leaf in rather than copying it: the shard goes on with a spent buffer, or without.
void TrainStep::add_to_tree(std::unique_ptr<Gradients>& leaf, ThreadTeam& team) {
  std::size_t level = 0;
  while (levels_[level].used) {
    add_shared(levels_[level].sum->values(), leaf->values(), team);
    levels_[level].used = false;
    if (level + 1 < levels_.size()) ++level;
  }
  std::swap(levels_[level].sum, leaf);
  levels_[level].used = true;
}

// Joins what a number of pieces that is no power of two leaves over; the result goes to level 0.
void TrainStep::finish_tree(ThreadTeam& team) {
  std::size_t result = levels_.size();
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    if (!levels_[level].used) continue;
    levels_[level].used = false;
    if (result != levels_.size())
      add_shared(levels_[result].sum->values(), levels_[level].sum->values(), team);
    result = level;
  }
  std::swap(levels_.front().sum, levels_[result].sum);
}

// The chunks' sums are added in their order, whoever computed them.
double TrainStep::gradient_norm(ThreadTeam& team) {
  const View g = gradient();
  team.run(squares_.size(), [&](std::size_t i) {
    const std::size_t begin = i * kChunk;
    squares_[i] =
        simd::kernels().sum_of_squares(std::min(kChunk, g.size() - begin), g.data + begin);
  });
  return std::sqrt(std::accumulate(squares_.begin(), squares_.end(), 0.0));
}

std::size_t TrainStep::activation_bytes() const {
  std::size_t bytes = 0;
  for (const Shard& shard : shards_) bytes += shard.pass.arena.capacity();
  return bytes;
}

std::size_t TrainStep::gradient_buffers() const {
  std::size_t n = 0;
  for (const Shard& shard : shards_) n += shard.gradients != nullptr;
  for (const Level& level : levels_) n += level.sum != nullptr;
  return n;
}

// The same counter, with numbers for buffers.
std::size_t gradient_buffers(const TrainConfig& config) {
  const auto shards = static_cast<std::size_t>(config.shards);
  const std::size_t pieces = shards * static_cast<std::size_t>(config.accumulate);
  std::vector<bool> used(tree_levels(pieces));
  std::size_t most = 0;
  for (std::size_t piece = 0; piece < pieces; ++piece) {
    if (piece % shards == 0) {
      const auto partial = static_cast<std::size_t>(std::count(used.begin(), used.end(), true));
      most = std::max(most, partial + shards);
    }
    std::size_t level = 0;
    for (; level < used.size() - 1 && used[level]; ++level) used[level] = false;
    used[level] = true;
  }
  return most;
}

}  // namespace bitlab
