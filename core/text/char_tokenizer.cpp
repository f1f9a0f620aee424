#include "core/text/char_tokenizer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/text/utf8.h"

namespace bitlab {

namespace {

constexpr const char* kWhere = "char tokenizer";

// The character at text[at]; throws if the bytes there are none.
std::string_view character_at(std::string_view text, std::size_t at) {
  const std::size_t length = utf8_length(text, at);
  if (length == 0)
    throw Error(kWhere, "text must be UTF-8, but byte " + std::to_string(at) + " is not",
                "convert the file, for example with iconv");
  return text.substr(at, length);
}

// "'x'", or the number for what cannot be seen.
std::string shown(std::string_view character) {
  if (character.size() > 1 || (character[0] > ' ' && character[0] < 127))
    return "'" + std::string(character) + "'";
  return "character number " + std::to_string(static_cast<int>(character[0]));
}

}  // namespace

CharTokenizer CharTokenizer::from_text(std::string_view text) {
  return from_text([text](const auto& take) { take(text); });
}

CharTokenizer CharTokenizer::from_text(const TextReader& text) {
  bool ascii[128] = {};
  std::set<std::string, std::less<>> found;  // bytes of UTF-8 sort like code points
  text([&](std::string_view piece) {
    for (std::size_t at = 0; at < piece.size();) {
      const std::string_view character = character_at(piece, at);
      at += character.size();
      if (character.size() == 1)
        ascii[static_cast<unsigned char>(character[0])] = true;
      else if (found.find(character) == found.end())
        found.emplace(character);
    }
  });
  std::vector<std::string> characters;
  for (int c = 0; c < 128; ++c)
    if (ascii[c]) characters.emplace_back(1, static_cast<char>(c));
  characters.insert(characters.end(), found.begin(), found.end());
  if (characters.empty())
    throw Error(kWhere, "text must have at least one character, but is empty");
  return CharTokenizer(std::move(characters));
}

CharTokenizer::CharTokenizer(std::vector<std::string> characters)
    : characters_(std::move(characters)) {
  std::fill(std::begin(ascii_), std::end(ascii_), -1);
  for (const std::string& c : characters_) {
    if (c.empty() || utf8_length(c, 0) != c.size())
      throw Error(kWhere,
                  "each entry of the vocabulary must be one UTF-8 character, but one is not");
    const auto id = static_cast<std::int32_t>(ids_.size());
    if (!ids_.emplace(c, id).second)
      throw Error(kWhere, "each character must be in the vocabulary once, but " + shown(c) +
                              " comes twice");
    if (c.size() == 1) ascii_[static_cast<unsigned char>(c[0])] = id;
  }
}

std::vector<std::int32_t> CharTokenizer::encode(std::string_view text) const {
  std::vector<std::int32_t> tokens;
  tokens.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view character = character_at(text, at);
    std::int32_t id = -1;
    if (character.size() == 1) {
      id = ascii_[static_cast<unsigned char>(character[0])];
    } else if (const auto found = ids_.find(character); found != ids_.end()) {
      id = found->second;
    }
    if (id < 0)
      throw Error(kWhere, "text must use the " + std::to_string(vocab_size()) +
                              " characters of the training text, but byte " + std::to_string(at) +
                              " begins " + shown(character));
    tokens.push_back(id);
    at += character.size();
  }
  return tokens;
}

std::string CharTokenizer::decode(std::span<const std::int32_t> tokens) const {
  std::string text;
  for (const std::int32_t token : tokens) {
    if (token < 0 || static_cast<std::size_t>(token) >= vocab_size())
      throw Error(kWhere, "token must be in 0.." + std::to_string(vocab_size() - 1) + ", but is " +
                              std::to_string(token));
    text += characters_[static_cast<std::size_t>(token)];
  }
  return text;
}

std::string CharTokenizer::id() const { return "char-" + sha256_hex(to_json()).substr(0, 8); }

std::string CharTokenizer::to_json() const {
  return nlohmann::ordered_json{{"type", "char"}, {"characters", characters_}}.dump();
}

std::unique_ptr<Tokenizer> CharTokenizer::from_json(std::string_view json) {
  return std::make_unique<CharTokenizer>(
      nlohmann::json::parse(json).at("characters").get<std::vector<std::string>>());
}

}  // namespace bitlab
