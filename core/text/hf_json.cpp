// Tokenizers written as Hugging Face's tokenizer.json; tokenizer_json.cpp reads it.
#include <nlohmann/json.hpp>

#include "core/text/byte_alphabet.h"
#include "core/text/byte_bpe.h"
#include "core/text/sentence_piece.h"

namespace bitlab {

using nlohmann::ordered_json;

namespace {

ordered_json added_token(const std::string& text, std::size_t id) {
  return {{"id", id},        {"content", text},     {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

// {"token": id}. Adds without comparing with all the keys before, as ordered_json would.
class Vocabulary {
 public:
  void add(const std::string& token, std::size_t id) { list_.emplace_back(token, id); }
  ordered_json json() && { return std::move(tokens_); }

 private:
  ordered_json::object_t tokens_;
  ordered_json::object_t::Container& list_ = tokens_;
};

// Puts a token before a text.
ordered_json begin_template(const std::string& name, std::int32_t id) {
  return {{"type", "TemplateProcessing"},
          {"single",
           {{{"SpecialToken", {{"id", name}, {"type_id", 0}}}},
            {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}}},
          {"pair", ordered_json::array()},
          {"special_tokens", {{name, {{"id", name}, {"ids", {id}}, {"tokens", {name}}}}}}};
}

struct BpeModel {
  ordered_json unknown = nullptr;
  bool byte_fallback = false, whole_pieces = false;
  ordered_json vocabulary, merges;
};

ordered_json bpe(BpeModel model) {
  return {{"type", "BPE"},
          {"dropout", nullptr},
          {"unk_token", std::move(model.unknown)},
          {"continuing_subword_prefix", nullptr},
          {"end_of_word_suffix", nullptr},
          {"fuse_unk", model.byte_fallback},
          {"byte_fallback", model.byte_fallback},
          {"ignore_merges", model.whole_pieces},
          {"vocab", std::move(model.vocabulary)},
          {"merges", std::move(model.merges)}};
}

std::string tokenizer_json(ordered_json added,
                           ordered_json normalizer,
                           ordered_json pre,
                           ordered_json post,
                           ordered_json decoder,
                           BpeModel model) {
  return ordered_json{{"version", "1.0"},
                      {"truncation", nullptr},
                      {"padding", nullptr},
                      {"added_tokens", std::move(added)},
                      {"normalizer", std::move(normalizer)},
                      {"pre_tokenizer", std::move(pre)},
                      {"post_processor", std::move(post)},
                      {"decoder", std::move(decoder)},
                      {"model", bpe(std::move(model))}}
      .dump();
}

const char* prepend_scheme(SpaceRules::Before before) {
  switch (before) {
    case SpaceRules::Before::kFirst:
      return "first";
    case SpaceRules::Before::kAlways:
      return "always";
    default:
      return "never";
  }
}

}  // namespace

std::string ByteBpe::full_json() const {
  ordered_json added = ordered_json::array(), merges = ordered_json::array(), post = nullptr;
  std::vector<bool> special(parts_.tokens.size());
  for (const auto& [text, id] : parts_.special) {
    special[static_cast<std::size_t>(id)] = true;
    added.push_back(added_token(text, static_cast<std::size_t>(id)));
  }
  Vocabulary vocabulary;
  std::vector<std::string> written(parts_.tokens.size());
  for (std::size_t id = 0; id < written.size(); ++id) {
    written[id] = bytes_to_alphabet(parts_.tokens[id]);
    if (!special[id]) vocabulary.add(written[id], id);
  }
  for (const BpeMerge& m : parts_.merges)
    merges.push_back(written[static_cast<std::size_t>(m.left)] + " " +
                     written[static_cast<std::size_t>(m.right)]);
  if (parts_.begin)
    post = begin_template(parts_.tokens[static_cast<std::size_t>(*parts_.begin)], *parts_.begin);
  const ordered_json byte_level = {{"type", "ByteLevel"},
                                   {"add_prefix_space", false},
                                   {"trim_offsets", true},
                                   {"use_regex", false}};
  const ordered_json split = {{"type", "Split"},
                              {"pattern", {{"Regex", parts_.pattern}}},
                              {"behavior", "Isolated"},
                              {"invert", false}};
  const ordered_json pre = {{"type", "Sequence"}, {"pretokenizers", {split, byte_level}}};
  return tokenizer_json(
      std::move(added), nullptr, pre, std::move(post), byte_level,
      {nullptr, false, parts_.whole_pieces, std::move(vocabulary).json(), std::move(merges)});
}

// As transformers convert LLaMA-2's.
std::string SentencePiece::hf_json() const {
  ordered_json added = ordered_json::array(), merges = ordered_json::array(), unknown = nullptr;
  Vocabulary vocabulary;
  for (std::size_t id = 0; id < pieces_.size(); ++id) {
    const Piece& piece = pieces_[id];
    vocabulary.add(piece.text, id);
    if (piece.type == Type::kUnknown) unknown = piece.text;
    if (piece.type == Type::kControl || piece.type == Type::kUnknown)
      added.push_back(added_token(piece.text, id));
  }
  for (const BpeMerge& m : merges_.empty() ? merges_of_scores() : merges_)
    merges.push_back(pieces_[static_cast<std::size_t>(m.left)].text + " " +
                     pieces_[static_cast<std::size_t>(m.right)].text);
  const std::string space(kSpace);
  const auto replace = [](const std::string& from, const std::string& to) {
    return ordered_json{{"type", "Replace"}, {"pattern", {{"String", from}}}, {"content", to}};
  };
  ordered_json normalizer = nullptr, pre = nullptr;
  if (spaces_.before == SpaceRules::Before::kText) {
    const ordered_json prepend = {{"type", "Prepend"}, {"prepend", space}};
    normalizer = {{"type", "Sequence"}, {"normalizers", {prepend, replace(" ", space)}}};
  } else {
    pre = {{"type", "Metaspace"},
           {"replacement", space},
           {"prepend_scheme", prepend_scheme(spaces_.before)},
           {"split", spaces_.split}};
  }
  ordered_json decoders = {replace(space, " "), {{"type", "ByteFallback"}}, {{"type", "Fuse"}}};
  if (spaces_.strip)
    decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  const std::int32_t begin = around().before.front();
  return tokenizer_json(
      std::move(added), std::move(normalizer), std::move(pre),
      begin_template(pieces_[static_cast<std::size_t>(begin)].text, begin),
      {{"type", "Sequence"}, {"decoders", std::move(decoders)}},
      {std::move(unknown), true, false, std::move(vocabulary).json(), std::move(merges)});
}

}  // namespace bitlab
