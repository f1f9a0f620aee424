// bitlab tokenize, bitlab detokenize: text to token ids and back.
#include <charconv>
#include <iostream>
#include <iterator>

#include "cli/commands.h"
#include "cli/options.h"
#include "core/base/error.h"
#include "core/text/named_tokenizers.h"

namespace bitlab {

namespace po = boost::program_options;

namespace {

constexpr const char* kTokenizerHelp =
    "llama3, gpt2, llama2, bert-uncased, or a file: tokenizer.json, tokenizer.model, "
    "tokenizer.bin, vocab.txt, encoder.json";

std::string standard_input() {
  return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
}

std::unique_ptr<SubwordTokenizer> opened(const std::string& verb, const po::variables_map& parsed) {
  if (!parsed.count("tokenizer"))
    throw UsageError("bitlab " + verb, "must be given --tokenizer NAME|FILE");
  OpenedTokenizer result = open_tokenizer(parsed["tokenizer"].as<std::string>());
  for (const std::string& note : result.notes) std::cerr << "note: " << note << "\n";
  return std::move(result.tokenizer);
}

// "1 2 3" or "[1, 2, 3]".
std::vector<std::int32_t> parsed_ids(const std::string& text) {
  std::vector<std::int32_t> ids;
  for (const char *at = text.data(), *end = at + text.size(); at < end;) {
    if (std::string_view(" \t\r\n,[]").find(*at) != std::string_view::npos) {
      ++at;
      continue;
    }
    std::int32_t id = 0;
    const auto result = std::from_chars(at, end, id);
    if (result.ec != std::errc())
      throw UsageError("bitlab detokenize", "standard input must be token ids, but has '" +
                                                std::string(at, std::min(end, at + 20)) + "'");
    ids.push_back(id);
    at = result.ptr;
  }
  return ids;
}

}  // namespace

int tokenize_command(const std::vector<std::string>& args) {
  po::options_description options("Options");
  options.add_options()("tokenizer", po::value<std::string>()->value_name("T"), kTokenizerHelp)(
      "json", "the ids as a JSON list")("special",
                                        "special tokens written in the text become their ids")(
      "wrap", "with the tokens around a text: <s> ..., [CLS] ... [SEP]")("help,h", "show this");
  const auto parsed = parse_options("tokenize", args, options);
  if (parsed.count("help")) {
    std::cout << "usage: bitlab tokenize --tokenizer T <TEXT\n\n"
                 "The token ids of standard input, all of it, last line break included.\n\n"
              << options;
    return 0;
  }
  const auto tokenizer = opened("tokenize", parsed);
  const auto ids = tokenizer->encode(
      standard_input(), {.special = parsed.count("special") > 0, .wrap = parsed.count("wrap") > 0});
  const bool json = parsed.count("json") > 0;
  std::string out = json ? "[" : "";
  for (std::size_t i = 0; i < ids.size(); ++i)
    out += (i == 0 ? "" : json ? ", " : " ") + std::to_string(ids[i]);
  std::cout << out << (json ? "]\n" : "\n");
  return 0;
}

int detokenize_command(const std::vector<std::string>& args) {
  po::options_description options("Options");
  options.add_options()("tokenizer", po::value<std::string>()->value_name("T"), kTokenizerHelp)(
      "help,h", "show this");
  const auto parsed = parse_options("detokenize", args, options);
  if (parsed.count("help")) {
    std::cout << "usage: bitlab detokenize --tokenizer T <IDS\n\n"
                 "The text of the token ids on standard input: numbers, or a JSON list of them. "
                 "Nothing is added,\nnot even a line break.\n\n"
              << options;
    return 0;
  }
  const auto tokenizer = opened("detokenize", parsed);
  std::cout << tokenizer->decode(parsed_ids(standard_input()));
  return 0;
}

}  // namespace bitlab
