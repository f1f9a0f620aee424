// bitlab bench train NAME: whole training steps of every arm against this machine's sgemm.
#include <boost/program_options.hpp>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "core/base/error.h"
#include "experiments/bench_train.h"
#include "experiments/provenance.h"

namespace bitlab {

namespace po = boost::program_options;

namespace {

void print_table(const std::vector<TrainBench>& results) {
  std::printf("%-14s %7s %10s %10s %8s %8s %6s %10s\n", "arm", "threads", "ms/step", "tokens/s",
              "GFLOP/s", "sgemm", "util", "peak RSS");
  for (const TrainBench& r : results)
    std::printf("%-14s %7zu %10.3f %10.0f %8.1f %8.1f %5.1f%% %7.1f MB\n", r.arm.c_str(), r.threads,
                r.ms_per_step, r.tokens_per_s, r.gflops, r.sgemm_gflops, 100 * r.utilisation,
                static_cast<double>(r.peak_rss_bytes) / 1e6);
}

void print_profile(const TrainBench& r, std::int64_t steps) {
  std::printf("\n%s: where a step of %.3f ms goes\n%-20s %10s %7s %8s %9s\n", r.arm.c_str(),
              1e3 * r.profiled_seconds / static_cast<double>(steps), "kernel", "us/step", "share",
              "calls", "GFLOP/s");
  double timed = 0;
  for (const simd::KernelTime& k : r.kernels) {
    timed += k.seconds;
    std::printf("%-20s %10.1f %6.1f%% %8.1f", k.name.c_str(),
                1e6 * k.seconds / static_cast<double>(steps), 100 * k.seconds / r.profiled_seconds,
                static_cast<double>(k.calls) / static_cast<double>(steps));
    if (k.flops > 0) std::printf(" %9.1f", k.flops / k.seconds / 1e9);
    std::printf("\n");
  }
  const double other = r.profiled_seconds - timed;
  std::printf("%-20s %10.1f %6.1f%%\n", "outside kernels", 1e6 * other / static_cast<double>(steps),
              100 * other / r.profiled_seconds);
}

std::string as_json(const std::vector<TrainBench>& results) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const TrainBench& r : results)
    rows.push_back({{"arm", r.arm},
                    {"threads", r.threads},
                    {"ms_per_step", r.ms_per_step},
                    {"tokens_per_s", r.tokens_per_s},
                    {"gflops", r.gflops},
                    {"sgemm_gflops", r.sgemm_gflops},
                    {"utilisation", r.utilisation},
                    {"peak_rss_bytes", r.peak_rss_bytes},
                    {"first_step_seconds", r.first_step_seconds}});
  return rows.dump(2) + "\n";
}

constexpr const char* kUsage =
    "usage: bitlab bench train NAME [path=value ...] [options]\n\n"
    "Times whole steps (batch, forward, backward, optimiser) of every arm. GFLOP/s count 6 per "
    "multiply-add of a\n"
    "forward pass, attention without the causal saving (12 T C a layer and token); sgemm is "
    "OpenBLAS at 1024 cubed\n"
    "on one core, measured around the steps.\n\n";

}  // namespace

int bench_command(const std::vector<std::string>& args) {
  TrainBenchOptions bench;
  std::vector<std::string> words;
  std::vector<std::string> only;
  po::options_description options("Options");
  options.add_options()("help,h", "show this")(
      "steps", po::value(&bench.steps)->default_value(bench.steps), "steps to time")(
      "threads", po::value(&bench.threads)->default_value(1),
      "threads of a step, at most train.shards")("arm", po::value(&only), "this arm only")(
      "profile", po::bool_switch(&bench.profile), "where the time goes, kernel by kernel")(
      "json", "a list of objects on standard output");
  po::options_description all = options;
  all.add_options()("words", po::value(&words));
  const po::variables_map parsed = parse_options("bench", args, all, "words");
  if (parsed.count("help")) {
    std::cout << kUsage << options;
    return 0;
  }
  if (words.size() < 2 || words[0] != "train")
    throw UsageError("bitlab bench", "must be called as 'bitlab bench train NAME'",
                     "bitlab bench --help");
  if (bench.steps < 1) throw UsageError("bitlab bench", "--steps must be at least 1");

  Experiment experiment =
      load_experiment(words[1], {words.begin() + 2, words.end()}, project_root());
  keep_arms(experiment, only);
  const Dataset data = open_dataset(experiment.spec().data);
  std::fprintf(stderr, "%s; kernels %s; data %s\n", cpu_model().c_str(), simd::kernels().name,
               data.facts.source.c_str());
  std::vector<TrainBench> results;
  for (const Arm& arm : experiment.arms) results.push_back(bench_train(arm, data, bench));
  if (parsed.count("json")) {
    std::cout << as_json(results);
    return 0;
  }
  print_table(results);
  if (bench.profile)
    for (const TrainBench& r : results) print_profile(r, bench.steps);
  return 0;
}

}  // namespace bitlab
