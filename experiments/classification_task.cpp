#include "experiments/classification_task.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>

#include "core/base/error.h"
#include "core/base/rng.h"

namespace bitlab {

namespace {

constexpr std::size_t kTokensPerPass = 1024;  // at most, unless one text has more

std::vector<std::size_t> shuffled(std::size_t n,
                                  std::uint64_t seed,
                                  const std::string& purpose,
                                  std::uint64_t epoch) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const Rng rng(seed, purpose);
  for (std::size_t i = 0; i + 1 < n; ++i)
    std::swap(order[i], order[i + rng.below(n - i, epoch, i)]);
  return order;
}

// The order of each epoch; the last two are kept, as a batch may lie in both.
class EpochOrder {
 public:
  EpochOrder(std::size_t texts, std::uint64_t seed) : texts_(texts), seed_(seed) {}

  // The text at a place of the endless row of all epochs. May be called from several threads.
  std::size_t at(std::uint64_t place) {
    const std::uint64_t epoch = place / texts_;
    const std::lock_guard<std::mutex> lock(mutex_);
    Kept& kept = kept_[epoch % 2];
    if (kept.order.empty() || kept.epoch != epoch)
      kept = {epoch, shuffled(texts_, seed_, "batch", epoch)};
    return kept.order[place % texts_];
  }

 private:
  struct Kept {
    std::uint64_t epoch = 0;
    std::vector<std::size_t> order;
  };
  std::uint64_t texts_, seed_;
  std::mutex mutex_;
  Kept kept_[2];
};

// Of `micro` texts, longest first, those of one of `shards`: dealt to and fro, so that each gets as
// many, and about as much.
std::vector<std::size_t> dealt(std::vector<std::size_t> micro,
                               const LabelledTokens& texts,
                               std::size_t shard,
                               std::size_t shards) {
  std::stable_sort(micro.begin(), micro.end(), [&](std::size_t a, std::size_t b) {
    return texts.length_of(a) > texts.length_of(b);
  });
  std::vector<std::size_t> own;
  for (std::size_t i = 0; i < micro.size(); ++i) {
    const std::size_t round = i / shards, turn = i % shards;
    if ((round % 2 == 0 ? turn : shards - 1 - turn) == shard) own.push_back(micro[i]);
  }
  return own;
}

// Texts for one pass, in the order of their lengths.
struct PassTexts {
  std::vector<std::size_t> texts;
};

std::vector<PassTexts> passes_of(const std::vector<std::span<const std::int32_t>>& texts) {
  std::vector<std::size_t> order(texts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return texts[a].size() < texts[b].size(); });
  std::vector<PassTexts> passes;
  std::size_t tokens = kTokensPerPass;
  for (const std::size_t i : order) {
    if (passes.empty() || tokens + texts[i].size() > kTokensPerPass) {
      passes.emplace_back();
      tokens = 0;
    }
    passes.back().texts.push_back(i);
    tokens += texts[i].size();
  }
  return passes;
}

std::vector<double> softmax(const std::vector<float>& logits) {
  const double top = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  std::vector<double> p(logits.size());
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i)
    sum += p[i] = std::exp(static_cast<double>(logits[i]) - top);
  for (double& x : p) x /= sum;
  return p;
}

}  // namespace

void ClassificationConfig::fields(FieldVisitor& v) {
  v.field(
      "teacher", teacher,
      {.help = "run whose probabilities are learned too: its folder, or arm:NAME for the run of "
               "that arm with the same seed; empty for none",
       .hashed = false});  // its id enters the run id
  v.field("teacher_weight", teacher_weight, {.help = "of the teacher in the loss", .min = 0});
  v.field("temperature", temperature,
          {.help = "what logits are divided by for the teacher's part", .min = 0.01});
}

std::vector<std::vector<float>> label_logits(
    const LanguageModel& model,
    const std::vector<std::span<const std::int32_t>>& texts,
    ThreadTeam& team) {
  const std::vector<PassTexts> passes = passes_of(texts);
  std::vector<std::vector<float>> result(texts.size());
  team.run(team.size(), [&](std::size_t worker) {
    Pass pass;
    std::vector<std::int32_t> tokens;
    std::vector<std::size_t> begins;
    for (std::size_t i = worker; i < passes.size(); i += team.size()) {
      tokens.clear();
      begins = {0};
      for (const std::size_t t : passes[i].texts) {
        tokens.insert(tokens.end(), texts[t].begin(), texts[t].end());
        begins.push_back(tokens.size());
      }
      pass.batch = passes[i].texts.size();
      pass.seq_len = model.seq_len();
      pass.tokens = tokens.data();
      pass.begins = begins.data();
      const View z = model.logits(pass);
      for (std::size_t b = 0; b < pass.batch; ++b)
        result[passes[i].texts[b]].assign(z.row(b), z.row(b) + z.cols);
    }
  });
  return result;
}

std::vector<std::vector<double>> label_probabilities(
    const LanguageModel& model,
    const std::vector<std::span<const std::int32_t>>& texts,
    ThreadTeam& team) {
  std::vector<std::vector<double>> result;
  for (const std::vector<float>& logits : label_logits(model, texts, team))
    result.push_back(softmax(logits));
  return result;
}

ClassificationTask::ClassificationTask(const TaskContext& context,
                                       const EvalConfig& eval,
                                       const ClassificationConfig& config)
    : data_(*context.labelled),
      eval_(eval),
      teacher_(config.teacher),
      distillation_{config.teacher_weight, config.temperature},
      teacher_logits_(context.teacher),
      batch_size_(context.batch_size),
      step_size_(context.step_size),
      seed_(context.seed) {}

BatchSource ClassificationTask::train_batches() const {
  const auto order = std::make_shared<EpochOrder>(data_.train.size(), seed_);
  std::vector<std::vector<float>> teacher;
  if (!teacher_.empty()) teacher = teacher_logits_(teacher_, data_.train);
  return [&texts = data_.train, order, micro_size = batch_size_, step_size = step_size_,
          teacher = std::make_shared<const std::vector<std::vector<float>>>(std::move(teacher)),
          distillation = distillation_](std::uint64_t step, std::size_t first, std::size_t count,
                                        Batch& batch) {
    std::vector<std::size_t> micro(micro_size);
    const std::size_t begin = first / micro_size * micro_size;
    // A step's sequences follow those of the step before; `first` runs over its micro-batches.
    for (std::size_t i = 0; i < micro_size; ++i) micro[i] = order->at(step * step_size + begin + i);
    batch.tokens.clear();
    batch.targets.clear();
    batch.begins = {0};
    batch.teacher.clear();
    batch.distillation = distillation;
    for (const std::size_t i : dealt(micro, texts, (first - begin) / count, micro_size / count)) {
      const auto tokens = texts.tokens_of(i);
      batch.tokens.insert(batch.tokens.end(), tokens.begin(), tokens.end());
      batch.begins.push_back(batch.tokens.size());
      batch.targets.push_back(static_cast<std::int32_t>(texts.label_of(i)));
      if (teacher->empty()) continue;
      batch.teacher.insert(batch.teacher.end(), (*teacher)[i].begin(), (*teacher)[i].end());
    }
  };
}

Evaluation ClassificationTask::evaluate(const LanguageModel& model,
                                        Split split,
                                        ThreadTeam& team) const {
  const bool val = split == Split::Val;
  const LabelledTokens& texts = val ? data_.test : data_.train;
  std::vector<std::size_t> chosen =
      shuffled(texts.size(), seed_, val ? "eval/val" : "eval/train", 0);
  if (!val || eval_.protocol != "full") {
    const auto batches = static_cast<std::size_t>(val ? eval_.batches : eval_.train_batches);
    chosen.resize(std::min(chosen.size(), batches * batch_size_));
  }
  std::sort(chosen.begin(), chosen.end());
  std::vector<std::span<const std::int32_t>> tokens;
  for (const std::size_t i : chosen) tokens.push_back(texts.tokens_of(i));
  const auto probabilities = label_probabilities(model, tokens, team);

  Evaluation result;
  double squares = 0;
  const auto n = static_cast<double>(chosen.size());
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const std::vector<double>& p = probabilities[i];
    PredictionRow row;
    row.text = texts.text_of(chosen[i]);
    row.label = texts.label_of(chosen[i]);
    row.predicted = std::max_element(p.begin(), p.end()) - p.begin();
    row.probability = p[static_cast<std::size_t>(row.predicted)];
    row.loss = -std::log(std::max(p[static_cast<std::size_t>(row.label)], 1e-300));
    result.loss += row.loss / n;
    squares += row.loss * row.loss;
    result.predictions.push_back(row);
  }
  result.tokens = static_cast<std::int64_t>(chosen.size());
  if (n > 1)
    result.standard_error =
        std::sqrt(std::max(0.0, squares / n - result.loss * result.loss) / (n - 1));
  return result;
}

}  // namespace bitlab
