#include "experiments/text_batches.h"

#include <algorithm>
#include <numeric>

#include "core/base/rng.h"
#include "core/base/shuffle.h"

namespace bitlab {

std::vector<std::size_t> shuffled(std::size_t n,
                                  std::uint64_t seed,
                                  const std::string& purpose,
                                  std::uint64_t epoch) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  shuffle_first(order, n, Rng(seed, purpose), epoch);
  return order;
}

TextOrder::TextOrder(const LabelledTokens& texts,
                     std::size_t micro_size,
                     std::size_t step_size,
                     std::uint64_t seed)
    : texts_(texts), micro_size_(micro_size), step_size_(step_size), seed_(seed) {}

std::size_t TextOrder::at(std::uint64_t place) {
  const std::uint64_t epoch = place / texts_.size();
  const std::lock_guard<std::mutex> lock(mutex_);
  Kept& kept = kept_[epoch % 2];
  if (kept.order.empty() || kept.epoch != epoch)
    kept = {epoch, shuffled(texts_.size(), seed_, "batch", epoch)};
  return kept.order[place % texts_.size()];
}

std::vector<std::size_t> TextOrder::step(std::uint64_t step) {
  std::vector<std::size_t> all(step_size_);
  for (std::size_t i = 0; i < step_size_; ++i) all[i] = at(step * step_size_ + i);
  return all;
}

std::vector<std::size_t> TextOrder::piece(std::uint64_t step,
                                          std::size_t first,
                                          std::size_t count) {
  const std::size_t begin = first / micro_size_ * micro_size_;
  const std::size_t shard = (first - begin) / count, shards = micro_size_ / count;
  std::vector<std::size_t> micro(micro_size_);
  for (std::size_t i = 0; i < micro_size_; ++i) micro[i] = at(step * step_size_ + begin + i);
  std::stable_sort(micro.begin(), micro.end(), [&](std::size_t a, std::size_t b) {
    return texts_.length_of(a) > texts_.length_of(b);
  });
  std::vector<std::size_t> own;
  for (std::size_t i = 0; i < micro.size(); ++i) {
    const std::size_t round = i / shards, turn = i % shards;
    if ((round % 2 == 0 ? turn : shards - 1 - turn) == shard) own.push_back(micro[i]);
  }
  return own;
}

namespace {

constexpr std::uint64_t kJudgingSeed = 1;  // of all runs, so that they can be compared

}  // namespace

std::vector<std::size_t> judged_texts(std::size_t texts,
                                      bool val,
                                      const EvalConfig& eval,
                                      std::size_t batch_size,
                                      std::uint64_t seed) {
  std::vector<std::size_t> chosen =
      val ? shuffled(texts, kJudgingSeed, "eval/val", 0) : shuffled(texts, seed, "eval/train", 0);
  if (!val || eval.protocol != "full") {
    const auto batches = static_cast<std::size_t>(val ? eval.batches : eval.train_batches);
    chosen.resize(std::min(chosen.size(), batches * batch_size));
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

std::vector<std::vector<std::size_t>> passes_of(
    const std::vector<std::span<const std::int32_t>>& texts) {
  std::vector<std::size_t> order(texts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return texts[a].size() < texts[b].size(); });
  std::vector<std::vector<std::size_t>> passes;
  std::size_t tokens = kTokensPerPass;
  for (const std::size_t i : order) {
    if (passes.empty() || tokens + texts[i].size() > kTokensPerPass) {
      passes.emplace_back();
      tokens = 0;
    }
    passes.back().push_back(i);
    tokens += texts[i].size();
  }
  return passes;
}

void for_each_pass(const std::vector<std::span<const std::int32_t>>& texts,
                   std::size_t seq_len,
                   ThreadTeam& team,
                   const OnPass& on_pass) {
  const auto passes = passes_of(texts);
  team.run(team.size(), [&](std::size_t worker) {
    Pass pass;
    std::vector<std::int32_t> tokens;
    std::vector<std::size_t> begins;
    for (std::size_t p = worker; p < passes.size(); p += team.size()) {
      team.give_up_if_stopped();
      tokens.clear();
      begins.clear();
      for (const std::size_t i : passes[p]) append_text(texts[i], tokens, begins);
      pass.batch = passes[p].size();
      pass.seq_len = seq_len;
      pass.tokens = tokens.data();
      pass.begins = begins.data();
      on_pass(pass, passes[p], tokens);
    }
  });
}

void append_text(std::span<const std::int32_t> text,
                 std::vector<std::int32_t>& tokens,
                 std::vector<std::size_t>& begins) {
  if (begins.empty()) begins.push_back(0);
  tokens.insert(tokens.end(), text.begin(), text.end());
  begins.push_back(tokens.size());
}

}  // namespace bitlab
