#include "experiments/bench_train.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/process_memory.h"
#include "core/simd/call_time.h"
#include "core/tensor/blas.h"
#include "experiments/arm_references.h"
#include "experiments/bench_timing.h"
#include "experiments/step_time.h"
#include "experiments/update_step.h"

namespace bitlab {

namespace {

constexpr std::int64_t kWarmUpSteps = 3;
constexpr std::size_t kSgemmSize = 1024;
constexpr double kSgemmSeconds = 0.25;  // before the steps, and again after

struct StepPlan {
  double ms = 0;
  std::size_t bytes = 0;  // of training
};

// Of the step in the middle of the first `steps`.
StepPlan plan_step(const Spec& spec,
                   const DataFacts& data,
                   std::size_t threads,
                   std::int64_t steps) {
  std::vector<StepKind> kinds;
  const auto vocab_size = static_cast<std::size_t>(data.vocab_size);
  const Footprint size = footprint(spec, vocab_size, data.lengths, &kinds);
  const double first = kinds.front().share * static_cast<double>(spec.train.steps);
  const bool later = kinds.size() > 1 && 2 * first < static_cast<double>(steps);
  const std::vector<StepKind> middle = {{1, later ? kinds.back().pass : kinds.front().pass}};
  const CallTimer timer = remember(simd::call_seconds);
  const double seconds = step_time(spec, size, middle, threads, timer).total() +
                         teacher_seconds(spec, vocab_size, data.lengths, threads, timer);
  return {1e3 * seconds, size.training_bytes};
}

// An arm's run need not be there: a model as this arm's with random weights takes about as long.
Teachers teachers_for(const Spec& spec, std::size_t vocab_size) {
  return [&spec, vocab_size](const std::string& run, const TeacherStates& states) {
    if (!is_arm_reference(run)) return trained_teacher(run, states);
    return std::make_shared<const Teacher>(
        std::unique_ptr<const LanguageModel>(new LanguageModel(build_model(spec, vocab_size, 2))),
        states);
  };
}

}  // namespace

TrainBench bench_train(const Arm& arm, const Dataset& data, const TrainBenchOptions& options) {
  if (options.profile && options.threads != 1)
    throw UsageError("bench", "--profile must run on one thread, but --threads is " +
                                  std::to_string(options.threads));
  const Spec& spec = arm.spec;
  if (static_cast<std::int64_t>(options.threads) > spec.train.shards)
    throw UsageError(
        "bench",
        "--threads must be at most train.shards = " + std::to_string(spec.train.shards) +
            ", but is " + std::to_string(options.threads),
        "set train.shards=" + std::to_string(options.threads) + " on the command line");
  TrainBench result;
  result.arm = arm.name;
  result.threads = options.threads;
  result.sgemm_gflops = measure_sgemm_gflops(kSgemmSize, kSgemmSeconds);
  const auto vocab_size = static_cast<std::size_t>(data.facts.vocab_size);
  const std::int64_t steps = kWarmUpSteps + options.steps;
  StepPlan plan;
  if (options.plan) plan = plan_step(spec, data.facts, options.threads, steps);
  const std::size_t held = resident_bytes();
  reset_peak_resident();  // so that each arm has its own

  const Clock::time_point start = Clock::now();
  LanguageModel model = build_model(spec, vocab_size, 1);
  const std::unique_ptr<Task> task = make_task(spec, data, 1, teachers_for(spec, vocab_size));
  ThreadTeam team(options.threads);
  UpdateStep update({spec.optim, spec.schedule, spec.train, 1}, model, *task, team);
  update.run(0);
  result.first_step_seconds = seconds_since(start);
  for (std::int64_t step = 1; step < kWarmUpSteps; ++step) update.run(step);

  std::vector<double> seconds, cpu_seconds;
  std::vector<double> tokens, flops;  // of a step, a second
  for (std::int64_t step = 0; step < options.steps; ++step) {
    const Clock::time_point begin = Clock::now();
    const double cpu_begin = process_cpu_seconds();
    update.run(kWarmUpSteps + step);
    cpu_seconds.push_back(process_cpu_seconds() - cpu_begin);
    seconds.push_back(seconds_since(begin));
    tokens.push_back(static_cast<double>(update.tokens()) / seconds.back());
    flops.push_back(update.flops() / seconds.back());
  }
  result.ms_per_step = 1e3 * median(seconds);
  result.tokens_per_s = median(tokens);
  result.gflops = median(flops) / 1e9;
  result.peak_rss_bytes = static_cast<std::int64_t>(peak_resident_bytes());
  result.sgemm_gflops =
      std::max(result.sgemm_gflops, measure_sgemm_gflops(kSgemmSize, kSgemmSeconds));
  result.utilisation = result.gflops / result.sgemm_gflops / static_cast<double>(options.threads);

  if (options.plan)
    result.plan = {(plan.ms + plan_step(spec, data.facts, options.threads, steps).ms) / 2,
                   1e3 * median(cpu_seconds) / static_cast<double>(options.threads),
                   held + plan.bytes};
  if (options.profile) {
    Profiled all = profiled([&] {
      for (std::int64_t step = 0; step < options.steps; ++step) update.run(steps + step);
    });
    result.profiled_seconds = all.seconds;
    result.kernels = std::move(all.kernels);
  }
  return result;
}

}  // namespace bitlab
