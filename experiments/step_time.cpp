#include "experiments/step_time.h"

#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include "core/simd/call_time.h"
#include "experiments/classification_task.h"
#include "experiments/core_share.h"

namespace bitlab {

namespace {

// Of the whole update: calls that go over all parameters or over the ternary ones.
double update_seconds(const Spec& spec, const Footprint& size, const CallTimer& time) {
  const TrainConfig& train = spec.train;
  const auto pieces = static_cast<double>(train.shards * train.accumulate);
  const auto over = [&](const char* kernel, std::size_t n) { return n ? time({kernel, {n}}) : 0; };
  double seconds = over("adamw", size.params);
  seconds += pieces * over("copy", size.params);  // a gradient is cleared: a little less than that
  if (pieces > 1) seconds += (pieces - 1) * over("add", size.params);
  if (spec.optim.clip > 0) seconds += over("sum_of_squares", size.params);
  const std::size_t n = size.ternary_params;
  seconds += over("sum_of_abs", n) + over("ternary_round", n);
  return n ? seconds + time({"ternary_pack", {n / 1024 + 1, 1024}}) : seconds;
}

// Rounds of shards, one to a thread, in a step.
double rounds_of(const TrainConfig& train, std::size_t threads) {
  return static_cast<double>(shard_rounds(train.shards, threads)) *
         static_cast<double>(train.accumulate);
}

}  // namespace

StepTime step_time(const Spec& spec,
                   const Footprint& size,
                   const std::vector<StepKind>& kinds,
                   std::size_t threads,
                   const CallTimer& time) {
  StepTime t;
  for (const auto& [share, pass] : kinds) {
    for (const simd::KernelCall& call : pass.calls) {
      const double times = share * static_cast<double>(call.times);
      const double seconds = times * time(call), flops = times * simd::call_flops(call);
      t.product_flops += flops;
      (flops > 0                              ? t.products
       : call.kernel.starts_with("attention") ? t.attention
                                              : t.rows) += seconds;
    }
    t.layers += share * pass.seconds;
  }
  for (double* part : {&t.products, &t.attention, &t.rows, &t.layers})
    *part *= rounds_of(spec.train, threads);
  t.product_flops *= static_cast<double>(spec.train.shards * spec.train.accumulate);
  t.update = update_seconds(spec, size, time) / static_cast<double>(threads);
  return t;
}

double teacher_seconds(const Spec& spec,
                       std::size_t vocab_size,
                       const TextLengths& lengths,
                       std::size_t threads,
                       const CallTimer& time) {
  if (distilled(spec.task) == nullptr) return 0;
  const ModelPlugin& plugin = models().at(spec.model_name);
  const LayerPtr net = plugin.build(*spec.model, vocab_size);
  const auto length = static_cast<std::size_t>(std::llround(lengths.of_sequence(spec.seq_len())));
  const Rehearsal pass = rehearse(
      *net, plugin.logits_width(*spec.model, vocab_size),
      static_cast<std::size_t>(spec.train.batch_size / spec.train.shards), length, Passes::Forward);
  double seconds = pass.seconds;
  for (const simd::KernelCall& call : pass.calls)
    seconds += static_cast<double>(call.times) * time(call);
  return seconds * rounds_of(spec.train, threads);
}

CallTimer remember(CallTimer time) {
  using Key = std::pair<std::string, std::vector<std::size_t>>;
  auto known = std::make_shared<std::map<Key, double>>();
  return [known, time = std::move(time)](const simd::KernelCall& call) {
    const auto [entry, fresh] = known->try_emplace({call.kernel, call.sizes}, 0);
    if (fresh) entry->second = time(call);
    return entry->second;
  };
}

double measured_step_seconds(const Spec& spec, const DataFacts& data, std::size_t threads) {
  static const CallTimer timer = remember(simd::call_seconds);
  std::vector<StepKind> kinds;
  const Footprint size =
      footprint(spec, static_cast<std::size_t>(data.vocab_size), data.lengths, &kinds);
  return step_time(spec, size, kinds, threads, timer).total();
}

}  // namespace bitlab
