#include "experiments/task.h"

#include <algorithm>
#include <cmath>

#include "core/config/choice.h"
#include "experiments/classification_task.h"
#include "experiments/language_task.h"
#include "experiments/masked_task.h"

namespace bitlab {

// Not hashed: ids are older than tasks, so only a task that is not the first one enters them (see
// plugin_use.cpp).
void TaskConfig::fields(FieldVisitor& v) {
  choice_field(v, "name", name, settings, tasks(), "what is learned", /*hashed=*/false);
}

namespace {

void register_builtin_tasks(Registry<TaskPlugin>& registry) {
  registry.add("language",
               {1, "the next token of a text", no_settings,
                [](const TaskContext& context, const EvalConfig& eval, const Configurable&) {
                  return std::make_unique<LanguageTask>(context.data, eval, context.seq_len,
                                                        context.batch_size, context.seed);
                }});
  registry.add("classification",
               {1, "the label of a text", [] { return std::make_unique<ClassificationConfig>(); },
                [](const TaskContext& context, const EvalConfig& eval, const Configurable& config) {
                  return std::make_unique<ClassificationTask>(
                      context, eval, dynamic_cast<const ClassificationConfig&>(config));
                }});
  registry.add("masked-lm",
               {1, "the masked tokens of a text", no_settings,
                [](const TaskContext& context, const EvalConfig& eval, const Configurable&) {
                  return std::make_unique<MaskedTask>(context, eval);
                }});
}

constexpr std::size_t kTokensPerPass = 512;  // activations of a pass stay in cache

}  // namespace

Evaluation evaluate_sequences(const LanguageModel& model,
                              const SequenceSource& source,
                              std::size_t sequences,
                              std::size_t seq_len,
                              ThreadTeam& team) {
  std::vector<double> loss(sequences);
  std::vector<std::int64_t> judged(sequences);
  const std::size_t chunk = std::max<std::size_t>(1, kTokensPerPass / seq_len);
  // One task a thread, each with one Pass for its chunks; which thread judges a sequence changes no
  // bits.
  team.run(team.size(), [&](std::size_t worker) {
    Pass pass;
    pass.seq_len = seq_len;
    std::vector<std::int32_t> tokens(chunk * seq_len), targets(chunk * seq_len);
    std::vector<double> losses(chunk * seq_len);
    for (std::size_t first = worker * chunk; first < sequences; first += team.size() * chunk) {
      team.give_up_if_stopped();
      pass.batch = std::min(chunk, sequences - first);
      source(first, pass.batch, tokens.data(), targets.data());
      pass.tokens = tokens.data();
      model.loss(pass, targets.data(), losses.data());
      for (std::size_t r = 0; r < pass.rows(); ++r) {
        loss[first + r / seq_len] += losses[r];
        judged[first + r / seq_len] += targets[r] >= 0;
      }
    }
  });
  return mean_of(loss, judged);
}

Evaluation mean_of(const std::vector<double>& loss, const std::vector<std::int64_t>& targets) {
  Evaluation result;
  double total = 0;
  for (std::size_t i = 0; i < loss.size(); ++i) {
    total += loss[i];
    result.tokens += targets[i];
  }
  const auto tokens = static_cast<double>(result.tokens);
  const auto n = static_cast<double>(loss.size());
  result.loss = total / tokens;
  double squares = 0;
  for (std::size_t i = 0; i < loss.size(); ++i) {
    const double residual = loss[i] - result.loss * static_cast<double>(targets[i]);
    squares += residual * residual;
  }
  result.standard_error = n > 1 ? std::sqrt(squares * n / (n - 1)) / tokens : 0;
  return result;
}

Registry<TaskPlugin>& tasks() {
  static Registry<TaskPlugin> registry("task", register_builtin_tasks);
  return registry;
}

Evaluation evaluate_windows(const LanguageModel& model,
                            const Windows& windows,
                            std::size_t seq_len,
                            ThreadTeam& team) {
  return evaluate_sequences(
      model,
      [&](std::size_t first, std::size_t count, std::int32_t* tokens, std::int32_t* targets) {
        windows.fill(first, count, tokens, targets);
      },
      windows.count(), seq_len, team);
}

}  // namespace bitlab
