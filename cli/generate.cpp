// bitlab generate RUN: text from a trained model, as it comes.
#include "experiments/generate.h"

#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "core/base/error.h"
#include "experiments/loaded_run.h"
#include "experiments/text_stream.h"

namespace bitlab {

namespace po = boost::program_options;

namespace {

constexpr const char* kUsage =
    "\nWrites the prompt and the text that follows it. The next token is chosen by, in this order:"
    " --repetition-penalty,\n--temperature, --top-k, --top-p, --min-p; the same seed draws the "
    "same "
    "text. Speed is told at the end, on\nstandard error. Of a text that is longer than the model's "
    "context, the model sees the end. A model that "
    "was trained on documents here ends where a\ndocument ends.\n\n";

struct Request {
  GenerateOptions generate;
  std::string prompt;
  std::vector<std::string> stops, runs;
};

po::options_description options_for(Request& r) {
  SamplingSettings& s = r.generate.sampling;
  s.temperature = 0.8;
  r.generate.max_tokens = 300;
  po::options_description options("Options");
  const auto option = [&](const char* name, auto& target, const char* value, const char* help) {
    options.add_options()(name, po::value(&target)->default_value(target)->value_name(value), help);
  };
  options.add_options()("help,h", "show this");
  options.add_options()("prompt", po::value(&r.prompt)->value_name("TEXT"), "text to go on from");
  option("max-tokens", r.generate.max_tokens, "N", "how many to add at most");
  option("temperature", s.temperature, "X", "0: always the likeliest");
  option("top-k", s.top_k, "N", "choose among this many, 0 for all");
  option("top-p", s.top_p, "P", "choose among the likeliest that have this probability together");
  option("min-p", s.min_p, "P", "choose among those at least P times as likely as the likeliest");
  option("repetition-penalty", s.repetition_penalty, "X",
         "above 1: tokens that came before are less likely");
  option("seed", s.seed, "N", "of the draws");
  options.add_options()("stop", po::value(&r.stops)->value_name("TEXT")->composing(),
                        "end before this text; may be given several times");
  return options;
}

// Writes the text as it comes. A model that was trained here ends with the token that stands behind
// every document; with nothing to go on from it begins as behind one, or token 0.
GenerateStats write_text(const LoadedRun& run, Request request) {
  const Tokenizer& tokenizer = *run.tokenizer;
  const std::vector<std::int32_t> prompt = tokenizer.encode(request.prompt);
  std::vector<std::int32_t> tokens = run.begin_tokens;
  tokens.insert(tokens.end(), prompt.begin(), prompt.end());
  request.generate.end_tokens = run.end_tokens;
  const auto document_end = tokenizer.document_end();
  if (run.imported.empty() && document_end) request.generate.end_tokens.push_back(*document_end);
  if (tokens.empty()) tokens.push_back(run.imported.empty() ? document_end.value_or(0) : 0);
  request.generate.vocab_size = tokenizer.vocab_size();
  TextStream stream(request.stops);
  bool begun = !prompt.empty();  // the first token of a text may lose its space
  std::cout << request.prompt << std::flush;
  const GenerateStats stats =
      generate(*run.model, tokens, request.generate, [&](std::int32_t token) {
        const std::string piece = begun ? tokenizer.piece(token) : tokenizer.decode({&token, 1});
        begun = true;
        std::cout << stream.push(piece) << std::flush;
        return !stream.stopped();
      });
  std::cout << stream.finish() << "\n" << std::flush;
  return stats;
}

}  // namespace

int generate_command(const std::vector<std::string>& args) {
  Request request;
  const po::options_description options = options_for(request);
  po::options_description all = options;
  all.add_options()("run", po::value(&request.runs));
  if (parse_options("generate", args, all, "run").count("help") > 0) {
    std::cout << "usage: bitlab generate RUN [options]\n\n" << kRunHelp << kUsage << options;
    return 0;
  }
  if (request.runs.size() != 1)
    throw UsageError("bitlab generate", "must be given one run", "bitlab generate --help");
  check(request.generate.sampling);

  const LoadedRun run =
      load_run(find_run(request.runs.front()), LoadWeights::Checkpoint, Tables::AsStored);
  require_language_model(run, "bitlab generate");
  std::cerr << "model: " << run.checkpoint.string() << "\n";
  const GenerateStats stats = write_text(run, request);
  std::cerr << fmt::format("prompt: {} tokens, {:.1f} tokens/s; text: {} tokens, {:.1f} tokens/s\n",
                           stats.prompt_tokens, stats.prefill_speed(), stats.new_tokens,
                           stats.decode_speed());
  return 0;
}

}  // namespace bitlab
