// bitlab eval RUN: how well a model predicts a text.
#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "cli/progress.h"
#include "core/base/error.h"
#include "experiments/evaluate.h"
#include "experiments/launcher.h"

namespace bitlab {

namespace po = boost::program_options;

namespace {

constexpr const char* kUsage =
    "\nJudges every token of a split once: perplexity, nats a token, bits per byte. On the run's "
    "own "
    "validation split\nthat is the loss of training at eval.protocol = \"full\", to the last bit. "
    "The number of threads changes nothing\n(docs/checkpoints.md).\n\n";

std::string as_json(const EvalReport& r, bool packed, std::size_t threads) {
  const nlohmann::ordered_json json = {{"weights", r.weights.string()},
                                       {"packed", packed},
                                       {"step", r.step},
                                       {"data", r.data},
                                       {"split", r.split},
                                       {"unit", r.unit},
                                       {"tokens", r.tokens},
                                       {"bytes", r.bytes},
                                       {"seq_len", r.seq_len},
                                       {"stride", r.stride},
                                       {"loss", r.loss},
                                       {"standard_error", r.standard_error},
                                       {"perplexity", r.perplexity},
                                       {"bits_per_byte", r.bits_per_byte},
                                       {"seconds", r.seconds},
                                       {"tokens_per_s", r.tokens_per_s},
                                       {"threads", threads}};
  return json.dump(2) + "\n";
}

std::string as_text(const EvalReport& r, std::size_t threads) {
  return fmt::format(
      "weights         {} (step {})\n"
      "data            {}, {}: {} tokens judged, {} bytes\n"
      "windows         {} tokens, one every {}\n"
      "loss            {:.4f} ± {:.4f} nats/{}\n"
      "perplexity      {:.4f}\n"
      "bits per byte   {:.4f}\n"
      "speed           {:.0f} tokens/s, {} threads\n",
      r.weights.string(), r.step, r.data, r.split, r.tokens, r.bytes, r.seq_len, r.stride, r.loss,
      r.standard_error, r.unit, r.perplexity, r.bits_per_byte, r.tokens_per_s, threads);
}

}  // namespace

int eval_command(const std::vector<std::string>& args) {
  EvalRequest request;
  request.threads = available_cores();
  std::vector<std::string> runs;
  po::options_description options("Options");
  options.add_options()("help,h", "show this");
  options.add_options()("data", po::value(&request.data)->value_name("NAME|FILE"),
                        "a data source, or a text's path with a '/'; the run's own if not told");
  options.add_options()("split", po::value(&request.split)->value_name("train|val|test|all"),
                        "val if not told, of a text's path all of it");
  options.add_options()("stride", po::value(&request.stride)->value_name("N"),
                        "tokens from one window to the next; the model's seq_len if not told");
  options.add_options()("packed", po::bool_switch(&request.packed),
                        "judge packed.safetensors and not the checkpoint");
  options.add_options()(
      "threads", po::value(&request.threads)->value_name("N")->default_value(request.threads),
      "how many; as many as there are cores if not told");
  options.add_options()("json", "as JSON");
  po::options_description all = options;
  all.add_options()("run", po::value(&runs));
  const po::variables_map parsed = parse_options("eval", args, all, "run");
  if (parsed.count("help") > 0) {
    std::cout << "usage: bitlab eval RUN [--data NAME|FILE] [--split S] [--stride N] [--packed] "
                 "[--json]\n\n"
              << kRunHelp << kUsage << options;
    return 0;
  }
  if (runs.size() != 1 || request.threads == 0)
    throw UsageError("bitlab eval", "must be given one run, and at least one thread",
                     "bitlab eval --help");
  request.data_progress = ProgressLine();
  request.progress = [line = ProgressLine("windows", 1)](std::uint64_t done,
                                                         std::uint64_t total) mutable {
    line("judged", done, total);
  };
  const EvalReport report = evaluate_run(find_run(runs.front()), request);
  std::cout << (parsed.count("json") > 0 ? as_json(report, request.packed, request.threads)
                                         : as_text(report, request.threads));
  return 0;
}

}  // namespace bitlab
