#include "experiments/classification_task.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "experiments/text_batches.h"

namespace bitlab {

namespace {

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
       .hashed = false});  // its id enters the run id, or the hash of a folder's weights
  v.field("teacher_weight", teacher_weight, {.help = "of the teacher in the loss", .min = 0});
  v.field("temperature", temperature,
          {.help = "what logits are divided by for the teacher's part", .min = 0.01});
  // Ids are older than relations.
  const bool hashed = relations.weight > 0;
  v.field("relation_weight", relations.weight,
          {.help = "of the relations of the teacher's attention in the loss, 0 for none",
           .min = 0,
           .hashed = hashed});
  v.field("relation_layer", relations.layer,
          {.help = "whose relations these are, counted from 0; -1 for the last",
           .min = -1,
           .hashed = hashed});
  v.field("relation_heads", relations.heads,
          {.help = "that queries, keys and values are cut into for relations, 0 for as many as "
                   "attention has",
           .min = 0,
           .hashed = hashed});
  v.field("hidden_weight", hidden_weight,
          {.help = "of the distance from the teacher's hidden states in the loss, 0 for none",
           .min = 0,
           .hashed = hidden_weight > 0});
  v.require(hidden_weight <= 0 || !teacher.empty(), "hidden_weight", "must be 0 without a teacher",
            "name one in task.classification.teacher");
  v.require(relations.weight <= 0 || !teacher.empty(), "relation_weight",
            "must be 0 without a teacher", "name one in task.classification.teacher");
}

TeacherStates ClassificationConfig::states() const {
  TeacherStates states;
  if (relations.weight > 0) states.attention = relations.layer;
  states.blocks = hidden_weight > 0;
  return states;
}

const ClassificationConfig* distilled(const TaskConfig& task) {
  const auto* config = dynamic_cast<const ClassificationConfig*>(task.settings.get());
  return config != nullptr && !config->teacher.empty() ? config : nullptr;
}

std::vector<std::vector<float>> label_logits(
    const LanguageModel& model,
    const std::vector<std::span<const std::int32_t>>& texts,
    ThreadTeam& team) {
  std::vector<std::vector<float>> result(texts.size());
  for_each_pass(texts, model.seq_len(), team,
                [&](Pass& pass, const std::vector<std::size_t>& which, std::vector<std::int32_t>&) {
                  const View z = model.logits(pass);
                  for (std::size_t b = 0; b < which.size(); ++b)
                    result[which[b]].assign(z.row(b), z.row(b) + z.cols);
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
      config_(config),
      teachers_(context.teacher),
      batch_size_(context.batch_size),
      step_size_(context.step_size),
      seed_(context.seed) {}

namespace {

// Asks a teacher about the texts of a batch.
using AskTeacher = std::function<void(const std::vector<std::size_t>& which, Batch& batch)>;

AskTeacher logits_and_states(std::shared_ptr<const Teacher> teacher,
                             const ClassificationConfig& config) {
  return [teacher = std::move(teacher), distillation = config.distillation(),
          relations = config.relations,
          hidden = config.hidden_weight](const std::vector<std::size_t>&, Batch& batch) {
    teacher->ask(batch.tokens, batch.begins, batch.teacher);
    batch.distillation = distillation;
    batch.relations = relations;
    batch.hidden_weight = hidden;
  };
}

AskTeacher logits_alone(std::shared_ptr<const Teacher> teacher,
                        const Distillation& distillation,
                        const LabelledTokens& texts) {
  const auto remembered = std::make_shared<RememberedLogits>(std::move(teacher), texts);
  return [=](const std::vector<std::size_t>& which, Batch& batch) {
    remembered->ask(which, batch.teacher.logits);
    batch.distillation = distillation;
  };
}

}  // namespace

BatchSource ClassificationTask::train_batches() const {
  const auto order = std::make_shared<TextOrder>(data_.train, batch_size_, step_size_, seed_);
  AskTeacher ask_teacher = [](const std::vector<std::size_t>&, Batch&) {};
  if (config_.learns_states())
    ask_teacher = logits_and_states(teachers_(config_.teacher, config_.states()), config_);
  else if (!config_.teacher.empty())
    ask_teacher = logits_alone(teachers_(config_.teacher, {}), config_.distillation(), data_.train);
  return [&texts = data_.train, order, ask_teacher](std::uint64_t step, std::size_t first,
                                                    std::size_t count, Batch& batch) {
    batch.tokens.clear();
    batch.begins.clear();
    batch.targets.clear();
    const std::vector<std::size_t> which = order->piece(step, first, count);
    for (const std::size_t i : which) {
      append_text(texts.tokens_of(i), batch.tokens, batch.begins);
      batch.targets.push_back(static_cast<std::int32_t>(texts.label_of(i)));
    }
    ask_teacher(which, batch);
  };
}

Evaluation ClassificationTask::evaluate(const LanguageModel& model,
                                        Split split,
                                        ThreadTeam& team) const {
  const bool val = split == Split::Val;
  const LabelledTokens& texts = val ? data_.test : data_.train;
  const std::vector<std::size_t> chosen =
      judged_texts(texts.size(), val, eval_, batch_size_, seed_);
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
    if (row.label >= static_cast<std::int64_t>(p.size()))
      throw UsageError("model.labels", "must be at least as many as the data have, but is " +
                                           std::to_string(p.size()) + " where a text has label " +
                                           std::to_string(row.label));
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
