// Tokenizers from JSON: our own descriptions and Hugging Face's tokenizer.json.
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/json_nesting.h"
#include "core/text/byte_alphabet.h"
#include "core/text/byte_bpe.h"
#include "core/text/sentence_piece.h"
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

std::unique_ptr<SubwordTokenizer> sentence_piece(const json& described) {
  std::vector<SentencePiece::Piece> pieces;
  for (const json& p : described.at("pieces")) {
    const int type = p.at(2).get<int>();
    if (type < 1 || type > 6)
      throw Error(kWhere, "the type of a piece must be 1 to 6, but is " + std::to_string(type));
    pieces.push_back(
        {p.at(0).get<std::string>(), p.at(1).get<float>(), static_cast<SentencePiece::Type>(type)});
  }
  return std::make_unique<SentencePiece>(std::move(pieces));
}

std::unique_ptr<SubwordTokenizer> word_piece(const json& described) {
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

// The regular expression of a byte-level pre-tokenizer: ByteLevel alone is GPT-2's, otherwise
// Split by an expression and then ByteLevel.
std::string pattern_of(const json& pre) {
  if (pre.at("type") == "ByteLevel") {
    if (pre.value("use_regex", true) && !pre.value("add_prefix_space", true)) return kGpt2Pattern;
  } else if (pre.at("type") == "Sequence" && pre.at("pretokenizers").size() == 2) {
    const json& split = pre.at("pretokenizers").at(0);
    const json& bytes = pre.at("pretokenizers").at(1);
    if (split.at("type") == "Split" && split.at("behavior") == "Isolated" &&
        !split.value("invert", false) && bytes.at("type") == "ByteLevel" &&
        !bytes.value("use_regex", true) && !bytes.value("add_prefix_space", true))
      return split.at("pattern").at("Regex").get<std::string>();
  }
  throw Error(kWhere,
              "pre_tokenizer must be ByteLevel, or Split by a Regex and ByteLevel, without "
              "a prefix space, but is " +
                  pre.dump());
}

SpecialTokens::List added_tokens(const json& described) {
  SpecialTokens::List list;
  for (const json& added : described.value("added_tokens", json::array())) {
    const auto id = added.at("id").get<std::int32_t>();
    if (id < 0 || id > 10'000'000)
      throw Error(kWhere,
                  "ids of added tokens must be in 0..10000000, but one is " + std::to_string(id));
    list.emplace_back(added.at("content").get<std::string>(), id);
  }
  return list;
}

// The token that a template puts before a text; it may be one of several steps.
std::optional<std::int32_t> begin_of(const json& post) {
  if (!post.is_object()) return std::nullopt;
  if (post.at("type") == "Sequence") {
    for (const json& step : post.at("processors"))
      if (const auto begin = begin_of(step)) return begin;
    return std::nullopt;
  }
  if (post.at("type") != "TemplateProcessing") return std::nullopt;
  std::optional<std::int32_t> begin;
  bool behind = false;  // the text
  for (const json& part : post.at("single")) {
    if (part.contains("Sequence")) {
      behind = true;
      continue;
    }
    if (begin || behind)
      throw Error(kWhere,
                  "a template of byte-level BPE must put at most one token, before the text, "
                  "but single is " +
                      post.at("single").dump());
    const auto& name = part.at("SpecialToken").at("id").get_ref<const std::string&>();
    begin = post.at("special_tokens").at(name).at("ids").at(0).get<std::int32_t>();
  }
  return begin;
}

// "left right", or in newer files ["left", "right"].
BpeMerge merge_of(const json& described, const ByteMap& ids) {
  std::string left, right;
  if (described.is_array()) {
    left = described.at(0).get<std::string>();
    right = described.at(1).get<std::string>();
  } else {
    const auto both = described.get<std::string>();
    const std::size_t space = both.find(' ');
    left = both.substr(0, space);
    if (space != std::string::npos) right = both.substr(space + 1);
  }
  const BpeMerge merge = {ids.find(left), ids.find(right), ids.find(left + right)};
  if (merge.left < 0 || merge.right < 0 || merge.result < 0)
    throw Error(kWhere,
                "a merge must join tokens to a token, but " + described.dump() + " does not");
  return merge;
}

std::unique_ptr<SubwordTokenizer> byte_bpe(const json& described) {
  ByteBpe::Parts parts;
  const json& model = described.at("model");
  if (described.contains("normalizer") && !described.at("normalizer").is_null())
    throw Error(kWhere, "normalizer must be null for byte-level BPE, but is " +
                            described.at("normalizer").dump());
  parts.pattern = pattern_of(described.at("pre_tokenizer"));
  parts.whole_pieces = model.value("ignore_merges", false);
  ByteMap ids;
  parts.special = added_tokens(described);
  for (const auto& [text, id] : parts.special) {
    if (static_cast<std::size_t>(id) >= parts.tokens.size())
      parts.tokens.resize(static_cast<std::size_t>(id) + 1);
    parts.tokens[static_cast<std::size_t>(id)] = text;
  }
  for (const auto& [token, number] : model.at("vocab").items()) {
    const auto id = number.get<std::int32_t>();
    if (id < 0 || id > 10'000'000 || !ids.insert(token, id))
      throw Error(kWhere, "ids must be in 0..10000000, but '" + token + "' has " + number.dump());
    if (static_cast<std::size_t>(id) >= parts.tokens.size())
      parts.tokens.resize(static_cast<std::size_t>(id) + 1);
    std::string& bytes = parts.tokens[static_cast<std::size_t>(id)];
    if (bytes == token) continue;  // a special token
    if (!bytes.empty() || !alphabet_to_bytes(token, bytes))
      throw Error(kWhere, "a token must be of the byte alphabet, with an id of its own, but '" +
                              token + "' is not");
  }
  for (const json& merge : model.at("merges")) parts.merges.push_back(merge_of(merge, ids));
  if (described.contains("post_processor")) parts.begin = begin_of(described.at("post_processor"));
  return std::make_unique<ByteBpe>(std::move(parts));
}

// Where a Metaspace puts spaces, and that it writes them as U+2581.
SpaceRules::Before metaspace_prefix(const json& metaspace) {
  using Before = SpaceRules::Before;
  require(metaspace, "replacement", std::string(SentencePiece::kSpace));
  const std::string scheme = metaspace.value("prepend_scheme", "always");
  if (scheme != "never" && !metaspace.value("add_prefix_space", true))
    throw Error(kWhere,
                "prepend_scheme must be never where add_prefix_space is false, but is " + scheme);
  if (scheme == "always") return Before::kAlways;
  if (scheme == "first") return Before::kFirst;
  if (scheme == "never") return Before::kNever;
  throw Error(kWhere, "prepend_scheme must be always, first or never, but is " + scheme);
}

json replace(const std::string& from, std::string_view to) {
  return {{"type", "Replace"}, {"pattern", {{"String", from}}}, {"content", to}};
}

// Whether the decoder leaves out the first space. Metaspace leaves out all of the first piece,
// which is the same if there is never more than one in it.
bool strips_space(const json& decoder, const SpaceRules& spaces) {
  json steps = {replace(std::string(SentencePiece::kSpace), " "),
                {{"type", "ByteFallback"}},
                {{"type", "Fuse"}}};
  const auto sequence = [&] { return json{{"type", "Sequence"}, {"decoders", steps}}; };
  if (decoder == sequence()) return false;
  steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  if (decoder == sequence()) return true;
  if (spaces.split && decoder.is_object() && decoder.at("type") == "Metaspace")
    return metaspace_prefix(decoder) != SpaceRules::Before::kNever;
  throw Error(kWhere, "with a pre_tokenizer Metaspace, decoder must be " + sequence().dump() +
                          ", with or without its Strip, or where Metaspace splits Metaspace, but "
                          "is " +
                          decoder.dump());
}

// LLaMA-2's normalizer, which puts a space before the text as SentencePiece does it, or a
// pre-tokenizer Metaspace.
SpaceRules space_rules(const json& described) {
  const std::string space(SentencePiece::kSpace);
  const json prepend = {{"type", "Prepend"}, {"prepend", space}};
  const json expected = {{"type", "Sequence"}, {"normalizers", {prepend, replace(" ", space)}}};
  const json normalizer = described.value("normalizer", json()),
             pre = described.value("pre_tokenizer", json());
  if (normalizer == expected && pre.is_null()) return {};
  if (!normalizer.is_null() || !pre.is_object() || pre.at("type") != "Metaspace")
    throw Error(kWhere,
                "with byte_fallback, normalizer must be " + expected.dump() +
                    " and pre_tokenizer null, or normalizer null and pre_tokenizer Metaspace, but "
                    "they are " +
                    normalizer.dump() + " and " + pre.dump(),
                "tokenizer.model of the same model may be read");
  SpaceRules rules;
  rules.before = metaspace_prefix(pre);
  rules.split = pre.value("split", true);
  rules.strip = strips_space(described.value("decoder", json()), rules);
  return rules;
}

// Special tokens that take no spaces around them along, and stand in words too.
void require_plain(const json& added_tokens) {
  for (const json& added : added_tokens)
    for (const char* key : {"single_word", "lstrip", "rstrip"})
      if (added.contains(key)) require(added, key, false);
}

// LLaMA-2's: pieces of characters, and bytes for characters that are none.
std::unique_ptr<SubwordTokenizer> byte_fallback_bpe(const json& described) {
  using Type = SentencePiece::Type;
  const SpaceRules spaces = space_rules(described);
  require_plain(described.value("added_tokens", json::array()));
  const json& model = described.at("model");
  for (const char* key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"})
    if (model.contains(key)) require(model, key, nullptr);
  if (model.contains("ignore_merges")) require(model, "ignore_merges", false);
  std::vector<SentencePiece::Piece> pieces;
  ByteMap ids;
  for (std::string& text : tokens_by_id(model.at("vocab"))) {
    ids.insert(text, static_cast<std::int32_t>(pieces.size()));
    const bool byte = SentencePiece::byte_of(text) >= 0;
    pieces.push_back({std::move(text), 0, byte ? Type::kByte : Type::kNormal});
  }
  const json unknown = model.value("unk_token", json());
  for (const auto& [text, id] : added_tokens(described)) {
    const auto i = static_cast<std::size_t>(id);
    if (i > pieces.size() || (i < pieces.size() && pieces[i].text != text))
      throw Error(kWhere,
                  "added tokens must follow each other after the vocabulary or be of it, "
                  "but '" +
                      text + "' has " + std::to_string(id));
    if (i == pieces.size()) pieces.push_back({text, 0, Type::kControl});
    pieces[i].type = unknown == text ? Type::kUnknown : Type::kControl;
  }
  std::vector<BpeMerge> merges;
  for (const json& merge : model.at("merges")) merges.push_back(merge_of(merge, ids));
  if (merges.empty()) throw Error(kWhere, "there must be merges, but there are none");
  return std::make_unique<SentencePiece>(std::move(pieces), std::move(merges), spaces);
}

// Those whose description is whole in itself; null for any other.
std::unique_ptr<SubwordTokenizer> subword(const json& described) {
  if (described.contains("model")) {
    const json& type = described.at("model").at("type");
    if (type == "WordPiece") return word_piece(described);
    if (type == "BPE")
      return described.at("model").value("byte_fallback", false) ? byte_fallback_bpe(described)
                                                                 : byte_bpe(described);
    throw Error(kWhere, "model.type must be WordPiece or BPE, but is " + type.dump());
  }
  return described.at("type") == "sentencepiece" ? sentence_piece(described) : nullptr;
}

// What `read` makes of the text; throws Error if it is no JSON, or lacks something.
template <class Read>
auto parsed(std::string_view text, const Read& read) {
  try {
    return read(json::parse(shallow_json(text, kWhere)));
  } catch (const json::exception& e) {
    throw Error(kWhere, std::string("must be described by JSON of bitlab or Hugging Face, but ") +
                            e.what());
  }
}

}  // namespace

std::unique_ptr<SubwordTokenizer> subword_from_json(std::string_view text) {
  auto made = parsed(text, subword);
  if (!made)
    throw Error(kWhere, "must be described by tokenizer.json with a vocabulary, but is not");
  return made;
}

std::unique_ptr<Tokenizer> tokenizer_from_json(std::string_view text) {
  return parsed(text, [&](const json& described) -> std::unique_ptr<Tokenizer> {
    if (auto made = subword(described)) return made;
    const auto type = described.at("type").get<std::string>();
    if (!tokenizers().contains(type))
      throw Error(kWhere, "type must be one that is registered, but is '" + type + "'",
                  "if a plugin brought it, name the plugin");
    return tokenizers().at(type).from_json(text);
  });
}

}  // namespace bitlab
