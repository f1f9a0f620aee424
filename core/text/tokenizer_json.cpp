// Tokenizers from JSON: our own descriptions and Hugging Face's tokenizer.json.
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/text/char_tokenizer.h"
#include "core/text/word_piece.h"

namespace bitlab {

namespace {

using nlohmann::json;

constexpr const char* kWhere = "tokenizer";

void require(const json& object, const char* key, const json& expected) {
  if (object.at(key) != expected)
    throw Error(kWhere, std::string(key) + " must be " + expected.dump() + ", but is " +
                            object.at(key).dump());
}

// The tokens by id from {"token": id}. Throws Error unless the ids are 0, 1, 2 ...
std::vector<std::string> tokens_by_id(const json& vocabulary) {
  std::vector<std::string> tokens(vocabulary.size());
  std::vector<bool> seen(vocabulary.size());
  for (const auto& [token, number] : vocabulary.items()) {
    const auto id = number.get<std::size_t>();
    if (id >= tokens.size() || seen[id])
      throw Error(kWhere, "ids must be 0 to " + std::to_string(tokens.size() - 1) +
                              ", each once, but '" + token + "' has " + number.dump());
    seen[id] = true;
    tokens[id] = token;
  }
  return tokens;
}

std::unique_ptr<Tokenizer> char_tokenizer(const json& described) {
  return std::make_unique<CharTokenizer>(
      described.at("characters").get<std::vector<std::string>>());
}

std::unique_ptr<Tokenizer> word_piece(const json& described) {
  const json& normalizer = described.at("normalizer");
  require(normalizer, "type", "BertNormalizer");
  for (const char* on : {"lowercase", "clean_text", "handle_chinese_chars"})
    require(normalizer, on, true);
  if (normalizer.contains("strip_accents") && normalizer.at("strip_accents") == false)
    throw Error(kWhere, "strip_accents must be true or null, but is false");
  const json& model = described.at("model");
  require(described.at("pre_tokenizer"), "type", "BertPreTokenizer");
  require(model, "continuing_subword_prefix", "##");
  require(model, "max_input_chars_per_word", 100);
  require(model, "unk_token", "[UNK]");
  return std::make_unique<WordPiece>(tokens_by_id(model.at("vocab")));
}

std::unique_ptr<Tokenizer> from_parsed(const json& described) {
  if (described.contains("model")) {
    const json& type = described.at("model").at("type");
    if (type == "WordPiece") return word_piece(described);
    throw Error(kWhere, "model.type must be WordPiece, but is " + type.dump());
  }
  const json& type = described.at("type");
  if (type == "char") return char_tokenizer(described);
  throw Error(kWhere, "type must be 'char', but is " + type.dump());
}

}  // namespace

std::unique_ptr<Tokenizer> tokenizer_from_json(std::string_view text) {
  try {
    return from_parsed(json::parse(text));
  } catch (const json::exception& e) {
    throw Error(kWhere, std::string("must be described by JSON of bitlab or Hugging Face, but ") +
                            e.what());
  }
}

}  // namespace bitlab
