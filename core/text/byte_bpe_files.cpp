// The files of byte-level BPE: tiktoken ranks, and GPT-2's two files.
#include <charconv>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/text/byte_alphabet.h"
#include "core/text/byte_bpe.h"

namespace bitlab {

namespace {

constexpr const char* kWhere = "bpe";

// Calls visit(line) for each line that is not empty.
template <class Visit>
void each_line(std::string_view content, Visit visit) {
  for (std::size_t begin = 0; begin < content.size();) {
    const std::size_t end = std::min(content.find('\n', begin), content.size());
    std::string_view line = content.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) visit(line);
    begin = end + 1;
  }
}

std::string from_base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  while (text.ends_with('=')) text.remove_suffix(1);
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos)
      throw Error(kWhere, "a token must be in base64, but '" + std::string(text) + "' is not");
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count >= 8) bytes += static_cast<char>(bits >> (count -= 8));
  }
  return bytes;
}

// All ways to cut each token into two: where a rank belongs to the joined bytes, as in tiktoken,
// any pair that gives them may be merged. The order is that of Hugging Face's conversion.
std::vector<BpeMerge> merges_of_ranks(const std::vector<std::string>& tokens) {
  ByteMap ids(tokens.size());
  for (std::size_t id = 0; id < tokens.size(); ++id)
    ids.insert(tokens[id], static_cast<std::int32_t>(id));
  std::vector<BpeMerge> merges;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    const std::string_view token = tokens[id];
    const auto first = static_cast<std::ptrdiff_t>(merges.size());
    for (std::size_t cut = 1; cut < token.size(); ++cut) {
      const std::int32_t left = ids.find(token.substr(0, cut)), right = ids.find(token.substr(cut));
      if (left >= 0 && right >= 0) merges.push_back({left, right, static_cast<std::int32_t>(id)});
    }
    std::sort(merges.begin() + first, merges.end(), [](const BpeMerge& a, const BpeMerge& b) {
      return std::pair(a.left, a.right) < std::pair(b.left, b.right);
    });
  }
  return merges;
}

// LLaMA-3's, numbered after the ranks.
std::vector<std::string> llama3_special() {
  std::vector<std::string> names = {"begin_of_text", "end_of_text"};
  int reserved = 0;
  const auto reserve = [&] {
    names.push_back("reserved_special_token_" + std::to_string(reserved++));
  };
  while (names.size() < 6) reserve();
  names.insert(names.end(), {"start_header_id", "end_header_id"});
  reserve();
  names.push_back("eot_id");
  while (names.size() < 256) reserve();
  for (std::string& name : names) name = "<|" + name + "|>";
  return names;
}

}  // namespace

ByteBpe ByteBpe::from_tiktoken(std::string_view content) {
  Parts parts;
  each_line(content, [&](std::string_view line) {
    const std::size_t space = line.find(' ');
    std::size_t rank = 0;
    const char* end = line.data() + line.size();
    if (space == std::string_view::npos ||
        std::from_chars(line.data() + space + 1, end, rank).ptr != end ||
        rank != parts.tokens.size())
      throw Error(kWhere, "line " + std::to_string(parts.tokens.size() + 1) +
                              " must be BASE64 and the next rank, but is '" +
                              std::string(line.substr(0, 60)) + "'");
    parts.tokens.push_back(from_base64(line.substr(0, space)));
  });
  parts.merges = merges_of_ranks(parts.tokens);
  parts.pattern = kLlama3Pattern;
  parts.whole_pieces = true;
  parts.begin = static_cast<std::int32_t>(parts.tokens.size());
  for (const std::string& name : llama3_special()) {
    parts.special.emplace_back(name, static_cast<std::int32_t>(parts.tokens.size()));
    parts.tokens.push_back(name);
  }
  return ByteBpe(std::move(parts));
}

ByteBpe ByteBpe::from_gpt2(std::string_view encoder_json, std::string_view vocab_bpe) {
  nlohmann::json merges = nlohmann::json::array();
  each_line(vocab_bpe, [&](std::string_view line) {
    if (!line.starts_with("#version")) merges.push_back(line);
  });
  try {
    const auto vocabulary = nlohmann::json::parse(encoder_json);
    const nlohmann::json described = {
        {"added_tokens",
         {{{"id", vocabulary.at(kEndOfText)}, {"content", kEndOfText}, {"special", true}}}},
        {"pre_tokenizer",
         {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}},
        {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", merges}}}};
    const auto made = subword_from_json(described.dump());
    return ByteBpe(dynamic_cast<const ByteBpe&>(*made).parts_);
  } catch (const nlohmann::json::exception& e) {
    throw Error(kWhere, std::string("encoder.json must be GPT-2's, but ") + e.what());
  }
}

}  // namespace bitlab
