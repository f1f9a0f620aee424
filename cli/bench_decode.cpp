// bitlab bench decode PRESET|NAME: tokens one by one against the speed of reading memory.
#include "experiments/bench_decode.h"

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/bench.h"
#include "cli/paths.h"
#include "cli/plan.h"
#include "core/base/error.h"
#include "experiments/dataset.h"

namespace bitlab {

namespace {

void print_table(const std::vector<DecodeBench>& results) {
  std::printf("%-14s %10s %9s %9s %11s %11s %7s %7s %7s\n", "arm", "prefill/s", "ms/token",
              "tokens/s", "weights", "cache/token", "GB/s", "read", "share");
  for (const DecodeBench& r : results)
    std::printf("%-14s %10.0f %9.3f %9.1f %8.1f MB %8.1f kB %7.1f %7.1f %6.1f%%\n", r.arm.c_str(),
                r.prefill_tokens_per_s, r.ms_per_token, r.tokens_per_s, r.weight_bytes / 1e6,
                r.cache_bytes_per_token / 1e3, r.gb_per_s, r.read_gb_per_s, 100 * r.share);
}

std::string as_json(const std::vector<DecodeBench>& results) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const DecodeBench& r : results)
    rows.push_back({{"arm", r.arm},
                    {"prefill_tokens_per_s", r.prefill_tokens_per_s},
                    {"ms_per_token", r.ms_per_token},
                    {"tokens_per_s", r.tokens_per_s},
                    {"weight_bytes", r.weight_bytes},
                    {"cache_bytes_per_token", r.cache_bytes_per_token},
                    {"gb_per_s", r.gb_per_s},
                    {"read_gb_per_s", r.read_gb_per_s},
                    {"share", r.share}});
  return rows.dump(2) + "\n";
}

// The vocabulary of a model that fixes it needs no data.
std::size_t vocab_size_of(const Spec& spec) {
  const std::size_t fixed = models().at(spec.model_name).logits_width(*spec.model, 1);
  return fixed > 1 ? fixed : open_dataset(spec.data).tokenizer->vocab_size();
}

}  // namespace

int bench_decode_command(const BenchRequest& request) {
  const std::vector<std::string>& words = request.words;
  const DecodeBenchOptions& bench = request.decode;
  if (words.empty())
    throw UsageError("bitlab bench decode",
                     "must be given an experiment or a preset of configs/models");
  if (bench.tokens < 1 || bench.context < 1)
    throw UsageError("bitlab bench decode", "--tokens and --context must be at least 1");
  const std::filesystem::path preset = preset_file(words[0], project_root());
  const std::string name = preset.empty() ? words[0] : preset.string();
  Experiment experiment = load_experiment(name, {words.begin() + 1, words.end()}, project_root());
  keep_arms(experiment, request.only);
  std::vector<DecodeBench> results;
  for (const Arm& arm : experiment.arms)
    results.push_back(bench_decode(arm, vocab_size_of(arm.spec), bench));
  if (request.json) {
    std::cout << as_json(results);
    return 0;
  }
  print_table(results);
  if (bench.profile)
    for (const DecodeBench& r : results)
      print_profile(r.arm, "token", r.kernels, r.profiled_seconds, bench.tokens);
  return 0;
}

}  // namespace bitlab
