// bitlab classify RUN: the labels of texts.
#include "experiments/classify.h"

#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "core/base/error.h"
#include "experiments/launcher.h"

namespace bitlab {

namespace po = boost::program_options;

namespace {

constexpr const char* kUsage =
    "\nPrints for each text its label, the probability of that and the beginning of the text. "
    "Texts that are too long\nlose their end. The number of threads changes nothing "
    "(docs/encoders.md).\n\n";
constexpr std::size_t kShown = 60;  // bytes of a text

std::vector<std::string> lines_of(const std::string& file) {
  std::ifstream opened;
  if (file != "-") {
    opened.open(file, std::ios::binary);
    if (!opened) throw UsageError(file, "must be a file of texts, one a line, but cannot be read");
  }
  std::istream& in = file == "-" ? std::cin : opened;
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

// Without half a character at the end.
std::string beginning(const std::string& text) {
  std::size_t end = std::min(text.size(), kShown);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    --end;
  return text.substr(0, end) + (end < text.size() ? " ..." : "");
}

void print_text(const Classification& result, const std::vector<std::string>& texts) {
  std::size_t width = 0;
  for (const std::string& label : result.labels) width = std::max(width, label.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const ClassifiedText& text = result.texts[i];
    std::cout << fmt::format("{:<{}}  {:.4f}  {}\n", result.labels[text.label], width,
                             text.probabilities[text.label], beginning(texts[i]));
  }
}

// One object a line.
void print_json(const Classification& result) {
  for (const ClassifiedText& text : result.texts) {
    nlohmann::ordered_json probabilities = nlohmann::ordered_json::object();
    for (std::size_t i = 0; i < result.labels.size(); ++i)
      probabilities[result.labels[i]] = text.probabilities[i];
    const nlohmann::ordered_json line = {{"label", result.labels[text.label]},
                                         {"probability", text.probabilities[text.label]},
                                         {"probabilities", probabilities},
                                         {"tokens", text.tokens}};
    std::cout << line.dump() << "\n";
  }
}

}  // namespace

int classify_command(const std::vector<std::string>& args) {
  std::vector<std::string> runs, texts, files;
  std::size_t threads = available_cores();
  bool packed = false;
  po::options_description options("Options");
  options.add_options()("help,h", "show this");
  options.add_options()("text,t", po::value(&texts)->value_name("TEXT")->composing(),
                        "a text; may come several times");
  options.add_options()("file,f", po::value(&files)->value_name("FILE")->composing(),
                        "a text a line; - for standard input");
  options.add_options()("packed", po::bool_switch(&packed),
                        "by packed.safetensors and not by the checkpoint");
  options.add_options()("threads", po::value(&threads)->value_name("N")->default_value(threads),
                        "how many; as many as there are cores if not told");
  options.add_options()("json", "a JSON object a line, with the probabilities of all labels");
  po::options_description all = options;
  all.add_options()("run", po::value(&runs));
  const po::variables_map parsed = parse_options("classify", args, all, "run");
  if (parsed.count("help") > 0) {
    std::cout << "usage: bitlab classify RUN --text TEXT|--file FILE\n\n"
              << kRunHelp << kUsage << options;
    return 0;
  }
  if (runs.size() != 1 || threads == 0 || (texts.empty() && files.empty()))
    throw UsageError("bitlab classify",
                     "must be given one run, a --text or a --file, and at least one thread",
                     "bitlab classify --help");
  for (const std::string& file : files)
    for (std::string& line : lines_of(file)) texts.push_back(std::move(line));
  const LoadedRun run =
      load_run(find_run(runs.front()), packed ? LoadWeights::Packed : LoadWeights::Checkpoint,
               Tables::AsStored);
  const Classification result = classify(run, texts, threads);
  if (parsed.count("json") > 0)
    print_json(result);
  else
    print_text(result, texts);
  std::cerr << fmt::format("{} texts, {} tokens, {:.0f} tokens/s, {} threads\n", texts.size(),
                           result.tokens, static_cast<double>(result.tokens) / result.seconds,
                           threads);
  return 0;
}

}  // namespace bitlab
