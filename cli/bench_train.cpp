// bitlab bench train NAME: whole training steps of every arm against this machine's sgemm.
#include "experiments/bench_train.h"

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/bench.h"
#include "cli/paths.h"
#include "core/base/error.h"
#include "experiments/provenance.h"

namespace bitlab {

namespace {

void print_table(const std::vector<TrainBench>& results) {
  std::printf("%-14s %7s %10s %10s %8s %8s %6s %10s\n", "arm", "threads", "ms/step", "tokens/s",
              "GFLOP/s", "sgemm", "util", "peak RSS");
  for (const TrainBench& r : results)
    std::printf("%-14s %7zu %10.3f %10.0f %8.1f %8.1f %5.1f%% %7.1f MB\n", r.arm.c_str(), r.threads,
                r.ms_per_step, r.tokens_per_s, r.gflops, r.sgemm_gflops, 100 * r.utilisation,
                static_cast<double>(r.peak_rss_bytes) / 1e6);
}

// Planned figures, measured ones, and the first by the second.
void print_plan_table(const std::vector<TrainBench>& results) {
  std::printf("\n%-14s %12s %10s %8s %12s %10s %8s\n", "against plan", "planned ms", "cpu ms",
              "ratio", "planned RSS", "peak RSS", "ratio");
  for (const TrainBench& r : results) {
    const PlanCheck& plan = *r.plan;
    const auto planned = static_cast<double>(plan.planned_bytes),
               measured = static_cast<double>(r.peak_rss_bytes);
    std::printf("%-14s %12.3f %10.3f %8.3f %9.1f MB %7.1f MB %8.3f\n", r.arm.c_str(),
                plan.planned_ms, plan.cpu_ms, plan.planned_ms / plan.cpu_ms, planned / 1e6,
                measured / 1e6, planned / measured);
  }
}

std::string as_json(const std::vector<TrainBench>& results) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const TrainBench& r : results) {
    rows.push_back({{"arm", r.arm},
                    {"threads", r.threads},
                    {"ms_per_step", r.ms_per_step},
                    {"tokens_per_s", r.tokens_per_s},
                    {"gflops", r.gflops},
                    {"sgemm_gflops", r.sgemm_gflops},
                    {"utilisation", r.utilisation},
                    {"peak_rss_bytes", r.peak_rss_bytes},
                    {"first_step_seconds", r.first_step_seconds}});
    if (r.plan)
      rows.back()["plan"] = {{"ms_per_step", r.plan->planned_ms},
                             {"cpu_ms_per_step", r.plan->cpu_ms},
                             {"peak_rss_bytes", r.plan->planned_bytes}};
  }
  return rows.dump(2) + "\n";
}

}  // namespace

int bench_train_command(const BenchRequest& request) {
  const std::vector<std::string>& words = request.words;
  const TrainBenchOptions& bench = request.train;
  if (words.empty())
    throw UsageError("bitlab bench train", "must be given an experiment", "see 'bitlab list'");
  if (bench.steps < 1) throw UsageError("bitlab bench train", "--steps must be at least 1");

  Experiment experiment =
      load_experiment(words[0], {words.begin() + 1, words.end()}, project_root());
  keep_arms(experiment, request.only);
  const Dataset data = open_dataset(experiment.spec().data);
  std::fprintf(stderr, "%s; kernels %s; data %s\n", cpu_model().c_str(), simd::kernels().name,
               data.facts.source.c_str());
  std::vector<TrainBench> results;
  for (const Arm& arm : experiment.arms) results.push_back(bench_train(arm, data, bench));
  if (request.json) {
    std::cout << as_json(results);
    return 0;
  }
  print_table(results);
  if (bench.plan) print_plan_table(results);
  if (bench.profile)
    for (const TrainBench& r : results)
      print_profile(r.arm, "step", r.kernels, r.profiled_seconds, bench.steps);
  return 0;
}

}  // namespace bitlab
