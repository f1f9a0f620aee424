#include "experiments/model_plan.h"

#include <cmath>
#include <set>

#include "experiments/classification_task.h"

namespace bitlab {

namespace {

constexpr double kTokensPerParameter = 20;

double cache_values(const Layer& net) {
  double values = 0;
  net.visit_caches([&](const Layer&, const std::vector<CacheStream>& streams) {
    for (const CacheStream& s : streams) values += static_cast<double>(s.heads * s.width);
  });
  return values;
}

}  // namespace

ModelPlan plan_model(const Spec& spec,
                     const Spec* other,
                     std::size_t vocab_size,
                     const TextLengths& lengths,
                     std::size_t threads,
                     const CallTimer& time) {
  const ModelPlugin& plugin = models().at(spec.model_name);
  const LayerPtr net = plugin.build(*spec.model, vocab_size);
  ModelPlan plan;
  plan.seq_len = spec.seq_len();
  plan.vocab_size = plugin.logits_width(*spec.model, vocab_size);
  std::vector<StepKind> kinds;
  plan.size = footprint(spec, vocab_size, lengths, &kinds);
  if (other != nullptr)
    plan.activation_bytes_other = footprint(*other, vocab_size, lengths).activation_bytes;
  plan.forward_flops =
      2 *
      net->macs_per_row(static_cast<std::size_t>(std::llround(lengths.of_sequence(plan.seq_len))));
  plan.train_flops = 3 * plan.forward_flops;
  const auto ternary = static_cast<double>(plan.size.ternary_params),
             rest = static_cast<double>(plan.size.params) - ternary;
  for (const double bits : {16.0, 8.0, 2.0, 1.6})
    plan.inference.push_back({bits, (bits * ternary + 16 * rest) / 8});
  plan.encoder = plugin.whole_texts;
  if (!plan.encoder) plan.cache_bytes_16 = 2 * cache_values(*net);
  plan.energy = token_energy(*net, plan.seq_len);
  plan.optimal_tokens = kTokensPerParameter * static_cast<double>(plan.size.params);

  std::set<std::pair<std::string, std::vector<std::size_t>>> calls;
  plan.step = step_time(spec, plan.size, kinds, threads, [&](const simd::KernelCall& call) {
    calls.insert({call.kernel, call.sizes});
    return time(call);
  });
  if (const ClassificationConfig* task = distilled(spec.task); task && task->learns_states())
    plan.teacher_seconds = teacher_seconds(spec, vocab_size, lengths, threads, time);
  plan.timed_calls = calls.size();
  plan.computed_train_flops = plan.step.product_flops / plan.size.tokens_per_step;
  return plan;
}

}  // namespace bitlab
