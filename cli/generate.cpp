// bitlab generate RUN: text from a trained model, as it comes.
#include "experiments/generate.h"

#include <boost/program_options.hpp>
#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "core/base/error.h"
#include "experiments/loaded_run.h"

namespace bitlab {

namespace po = boost::program_options;

int generate_command(const std::vector<std::string>& args) {
  SamplingSettings sampling;
  std::string prompt;
  std::size_t count = 300;
  std::vector<std::string> runs;
  po::options_description options("Options");
  options.add_options()("help,h", "show this")("prompt", po::value(&prompt), "text to go on from")(
      "tokens", po::value(&count)->default_value(count), "how many to add")(
      "temperature", po::value(&sampling.temperature)->default_value(0.8),
      "0: always the likeliest")("top-k", po::value(&sampling.top_k)->default_value(0),
                                 "choose among this many, 0 for all")(
      "seed", po::value(&sampling.seed)->default_value(1), "of the draws");
  po::options_description all = options;
  all.add_options()("run", po::value(&runs));
  const po::variables_map parsed = parse_options("generate", args, all, "run");
  if (parsed.count("help")) {
    std::cout << "usage: bitlab generate RUN [options]\n\n" << kRunHelp << "\n" << options;
    return 0;
  }
  if (runs.size() != 1)
    throw UsageError("bitlab generate", "must be given one run", "bitlab generate --help");
  if (sampling.temperature < 0 || sampling.top_k < 0)
    throw UsageError("bitlab generate", "--temperature and --top-k must not be negative");

  const LoadedRun run = load_run(find_run(runs.front()));
  std::cerr << "model: " << run.checkpoint.string() << "\n";
  const std::vector<std::int32_t> start = run.tokenizer->encode(prompt);
  std::cout << prompt << std::flush;
  generate(*run.model, start, count, sampling, [&](std::int32_t token) {
    std::cout << run.tokenizer->decode({&token, 1}) << std::flush;
  });
  std::cout << "\n";
  return 0;
}

}  // namespace bitlab
