// bitlab import DIR|FILE --out RUN: a model of another program as a run.
#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"
#include "core/base/error.h"
#include "experiments/import_model.h"

namespace bitlab {

namespace po = boost::program_options;

namespace {

constexpr const char* kUsage =
    "usage: bitlab import DIR|FILE --out RUN [--tokenizer NAME|FILE]\n\n"
    "DIR holds config.json and safetensors as Hugging Face's transformers save them (llama, "
    "bitnet; "
    "1bitLLM's\nBitnetForCausalLM; float or packed weights; bert and distilbert, also as "
    "pytorch_model.bin). FILE is a .bin of\nllama2.c. RUN becomes a run folder: show, generate, "
    "eval, verify and export take it. Tensors that are missing or\nunexpected, and settings that "
    "bitlab does not have, are told and nothing is written (docs/checkpoints.md).\n\n";

}  // namespace

int import_command(const std::vector<std::string>& args) {
  std::string out, tokenizer;
  std::vector<std::string> sources;
  po::options_description options("Options");
  options.add_options()("help,h", "show this")("out,o", po::value(&out)->value_name("RUN"),
                                               "the run folder to make")(
      "tokenizer", po::value(&tokenizer)->value_name("NAME|FILE"),
      "llama3, gpt2 ... or a tokenizer's file; the one beside the model if not told");
  po::options_description all = options;
  all.add_options()("source", po::value(&sources));
  if (parse_options("import", args, all, "source").count("help") > 0) {
    std::cout << kUsage << options;
    return 0;
  }
  if (sources.size() != 1 || out.empty())
    throw UsageError("bitlab import", "must be given one model and --out RUN",
                     "bitlab import --help");
  const ImportResult result = import_model({sources.front(), out, tokenizer});
  std::cerr << fmt::format("{}: {} parameters, {} of them ternary; {} bytes; tokenizer {}\n",
                           result.format, result.params, result.ternary_params, result.bytes,
                           result.tokenizer);
  for (const std::string& note : result.notes) std::cerr << "note: " << note << "\n";
  std::cout << out << "\n";
  return 0;
}

}  // namespace bitlab
