#include "experiments/masked_task.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.h"
#include "core/base/shuffle.h"
#include "core/text/subword.h"
#include "experiments/text_batches.h"
#include "layers/models/bert.h"

namespace bitlab {

namespace {

constexpr double kHidden = 0.8, kRandom = 0.1;  // of targets; the rest stays

std::size_t targets_among(std::size_t candidates) {
  if (candidates == 0) return 0;
  const long targets = std::lround(kMaskedShare * static_cast<double>(candidates));
  return static_cast<std::size_t>(std::max(1L, targets));
}

const SubwordTokenizer& with_mask(const Tokenizer& tokenizer) {
  const auto* subword = dynamic_cast<const SubwordTokenizer*>(&tokenizer);
  if (subword == nullptr || !subword->special_tokens().id_of("[MASK]"))
    throw UsageError("data.tokenizer",
                     "must have a token [MASK] where task.name = \"masked-lm\", but has none",
                     "bert-uncased has one");
  return *subword;
}

}  // namespace

Masking::Masking(const Tokenizer& tokenizer)
    : special_(tokenizer.vocab_size()), vocab_size_(tokenizer.vocab_size()) {
  const SpecialTokens& special = with_mask(tokenizer).special_tokens();
  mask_ = *special.id_of("[MASK]");
  for (const auto& [text, id] : special.list()) special_.at(static_cast<std::size_t>(id)) = true;
}

std::vector<std::size_t> Masking::candidates(std::span<const std::int32_t> text) const {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (!special_[static_cast<std::size_t>(text[i])]) places.push_back(i);
  return places;
}

std::size_t Masking::count(std::span<const std::int32_t> text) const {
  return targets_among(candidates(text).size());
}

void Masking::apply(std::span<std::int32_t> text,
                    const Rng& rng,
                    std::uint64_t key,
                    std::size_t first_row,
                    std::vector<std::size_t>& rows,
                    std::vector<std::int32_t>& targets) const {
  std::vector<std::size_t> places = candidates(text);
  const std::size_t wanted = targets_among(places.size());
  shuffle_first(places, wanted, rng, key);
  std::uint64_t draw = wanted;  // the next
  places.resize(wanted);
  std::sort(places.begin(), places.end());
  for (const std::size_t place : places) {
    rows.push_back(first_row + place);
    targets.push_back(text[place]);
    const double fate = rng.uniform(key, draw++);
    const std::uint64_t other = rng.below(vocab_size_, key, draw++);
    if (fate < kHidden)
      text[place] = mask_;
    else if (fate < kHidden + kRandom)
      text[place] = static_cast<std::int32_t>(other);
  }
}

MaskedTask::MaskedTask(const TaskContext& context, const EvalConfig& eval)
    : data_(*context.labelled),
      masking_(std::make_shared<const Masking>(*context.tokenizer)),
      eval_(eval),
      batch_size_(context.batch_size),
      step_size_(context.step_size),
      seed_(context.seed) {
  for (const LabelledTokens* texts : {&data_.train, &data_.test}) {
    std::size_t targets = 0;
    for (std::size_t i = 0; i < texts->size() && targets == 0; ++i)
      targets = masking_->count(texts->tokens_of(i));
    if (targets == 0)
      throw UsageError("data.sources",
                       "texts must have tokens that can be masked, but all are empty");
  }
}

BatchSource MaskedTask::train_batches() const {
  const LabelledTokens& texts = data_.train;
  std::vector<std::size_t> counts(texts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = masking_->count(texts.tokens_of(i));
  return [&texts, counts = std::move(counts), masking = masking_, rng = Rng(seed_, "mask/train"),
          order = std::make_shared<TextOrder>(texts, batch_size_, step_size_, seed_)](
             std::uint64_t step, std::size_t first, std::size_t count, Batch& batch) {
    batch.tokens.clear();
    batch.begins.clear();
    batch.targets.clear();
    if (!batch.picked) batch.picked.emplace();
    batch.picked->clear();
    for (const std::size_t i : order->piece(step, first, count)) {
      const std::size_t begin = batch.tokens.size();
      append_text(texts.tokens_of(i), batch.tokens, batch.begins);
      masking->apply(std::span(batch.tokens).subspan(begin), rng, step * texts.size() + i, begin,
                     *batch.picked, batch.targets);
    }
    batch.step_targets = 0;
    for (const std::size_t i : order->step(step)) batch.step_targets += counts[i];
    batch.step_targets = std::max<std::size_t>(1, batch.step_targets);  // empty texts alone
  };
}

Evaluation MaskedTask::evaluate(const LanguageModel& model, Split split, ThreadTeam& team) const {
  const bool val = split == Split::Val;
  const LabelledTokens& texts = val ? data_.test : data_.train;
  const auto chosen = judged_texts(texts.size(), val, eval_, batch_size_, seed_);
  if (chosen.empty()) return {};
  std::vector<std::span<const std::int32_t>> tokens;
  for (const std::size_t i : chosen) tokens.push_back(texts.tokens_of(i));
  const Rng rng(0, val ? "mask/val" : "mask/train/eval");
  std::vector<double> loss(chosen.size());
  std::vector<std::int64_t> judged(chosen.size());
  for_each_pass(
      tokens, model.seq_len(), team,
      [&](Pass& pass, const std::vector<std::size_t>& which, std::vector<std::int32_t>& joined) {
        std::vector<std::size_t> rows;
        std::vector<std::int32_t> targets;
        for (std::size_t b = 0; b < which.size(); ++b) {
          const std::size_t i = which[b], before = targets.size();
          masking_->apply(std::span(joined).subspan(pass.begin_of(b), tokens[i].size()), rng,
                          static_cast<std::uint64_t>(texts.text_of(chosen[i])), pass.begin_of(b),
                          rows, targets);
          judged[i] = static_cast<std::int64_t>(targets.size() - before);
        }
        pass.picked = &rows;
        std::vector<double> losses(rows.size());
        model.loss(pass, targets.data(), losses.data());
        pass.picked = nullptr;
        auto next = losses.begin();
        for (const std::size_t i : which) {
          loss[i] = std::accumulate(next, next + judged[i], 0.0);
          next += judged[i];
        }
      });
  return mean_of(loss, judged);
}

}  // namespace bitlab
