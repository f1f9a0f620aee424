// bitlab bench: how fast this machine trains, decodes and attends.
#include "cli/bench.h"

#include <boost/program_options.hpp>
#include <cstdio>
#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"
#include "core/base/error.h"

namespace bitlab {

namespace po = boost::program_options;

namespace {

constexpr const char* kUsage =
    "usage: bitlab bench train NAME [path=value ...] [options]\n"
    "       bitlab bench decode PRESET|NAME [path=value ...] [options]\n"
    "       bitlab bench attention [options]\n"
    "       bitlab bench load RUN|NAME [--json]\n\n"
    "All on one core unless --threads says otherwise. sgemm is OpenBLAS at 1024 cubed on one core, "
    "measured around.\n\n"
    "train: whole steps (batch, forward, backward, optimiser) of every arm. GFLOP/s count 6 per "
    "multiply-add of a\n"
    "forward pass, attention without the causal saving (12 T C a layer and token). --against-plan "
    "plans the same steps\n"
    "before and after them; both times are the processor's, so that other programs disturb them "
    "little.\n\n"
    "decode: one token after the other, greedily, with fresh weights and a KV cache. Every token "
    "multiplies all weights,\n"
    "so that reading them is the limit: GB/s are bytes of weights (4 each, ternary ones a quarter) "
    "times tokens/s; read\n"
    "is what one core reads of 256 MiB, measured around. Take a model larger than the last "
    "cache.\n\n"
    "attention: causal, one sequence. GFLOP/s count what is done: two products forward and five "
    "backward, without the\n"
    "half above the diagonal (7 T^2 D a head). Scratch is what is needed beyond inputs, outputs "
    "and gradients.\n\n"
    "load: the weights of a trained run, or of the first of each arm, in fp32, rounded to fp16 and "
    "packed: as files and\n"
    "as what loading them adds to the memory of a process; times are those of files in the "
    "system's "
    "cache. The figures\n"
    "are kept beside the run, in load.json; reports of classification show them.\n\n";

}  // namespace

int bench_command(const std::vector<std::string>& args) {
  BenchRequest request;
  po::options_description options("Options");
  options.add_options()("help,h", "show this")("arm", po::value(&request.only),
                                               "this arm only; may be given again")(
      "json", po::bool_switch(&request.json), "a list of objects on standard output");
  bool profile = false;
  options.add_options()("profile", po::bool_switch(&profile),
                        "where the time goes, kernel by kernel")(
      "against-plan", po::bool_switch(&request.train.plan),
      "train: what 'bitlab plan' says of the step's time and memory, and the ratio");
  options.add_options()("steps", po::value(&request.train.steps)->default_value(30),
                        "train: steps to time")("threads",
                                                po::value(&request.train.threads)->default_value(1),
                                                "train: threads of a step, at most train.shards")(
      "tokens", po::value(&request.decode.tokens)->default_value(32), "decode: tokens to time")(
      "context", po::value(&request.decode.context)->default_value(64),
      "decode: tokens before them");
  std::vector<std::size_t> lengths;
  options.add_options()("seq-len", po::value(&lengths),
                        "attention: a length, may be given again; 256 to 4096 if none is")(
      "heads", po::value(&request.attention.n_head)->default_value(8), "attention: query heads")(
      "kv-heads", po::value(&request.attention.n_kv_head),
      "attention: heads of keys and values, as many if not given")(
      "d-head", po::value(&request.attention.d_head)->default_value(64),
      "attention: width of a head");
  po::options_description all = options;
  all.add_options()("words", po::value(&request.words));
  if (parse_options("bench", args, all, "words").count("help")) {
    std::cout << kUsage << options;
    return 0;
  }
  request.train.profile = request.decode.profile = profile;
  if (!lengths.empty()) request.attention.lengths = lengths;
  const std::string what = request.words.empty() ? "" : request.words[0];
  if (!request.words.empty()) request.words.erase(request.words.begin());
  if (what == "train") return bench_train_command(request);
  if (what == "decode") return bench_decode_command(request);
  if (what == "attention") return bench_attention_command(request);
  if (what == "load") return bench_load_command(request);
  throw UsageError("bitlab bench",
                   "must be told what: train, decode, attention or load, but got '" + what + "'",
                   "bitlab bench --help");
}

void print_profile(const std::string& arm,
                   const char* unit,
                   const std::vector<simd::KernelTime>& kernels,
                   double seconds,
                   std::int64_t count) {
  const auto n = static_cast<double>(count);
  std::printf("\n%s: where a %s of %.3f ms goes\n%-20s %10s %7s %8s %9s\n", arm.c_str(), unit,
              1e3 * seconds / n, "kernel", (std::string("us/") + unit).c_str(), "share", "calls",
              "GFLOP/s");
  double timed = 0;
  for (const simd::KernelTime& k : kernels) {
    timed += k.seconds;
    std::printf("%-20s %10.1f %6.1f%% %8.1f", k.name.c_str(), 1e6 * k.seconds / n,
                100 * k.seconds / seconds, static_cast<double>(k.calls) / n);
    if (k.flops > 0) std::printf(" %9.1f", k.flops / k.seconds / 1e9);
    std::printf("\n");
  }
  std::printf("%-20s %10.1f %6.1f%%\n", "outside kernels", 1e6 * (seconds - timed) / n,
              100 * (seconds - timed) / seconds);
}

}  // namespace bitlab
