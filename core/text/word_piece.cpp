#include "core/text/word_piece.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/text/bert_text.h"
#include "core/text/utf8.h"

namespace bitlab {

namespace {

constexpr const char* kWhere = "wordpiece";
constexpr std::size_t kMaxCharacters = 100;

std::int32_t index_of(const std::vector<std::string>& vocabulary, const std::string& token) {
  const auto found = std::find(vocabulary.begin(), vocabulary.end(), token);
  return found == vocabulary.end() ? -1 : static_cast<std::int32_t>(found - vocabulary.begin());
}

SpecialTokens::List special_of(const std::vector<std::string>& vocabulary) {
  SpecialTokens::List list;
  for (const char* token : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"})
    if (const auto id = index_of(vocabulary, token); id >= 0) list.emplace_back(token, id);
  return list;
}

}  // namespace

WordPiece::WordPiece(std::vector<std::string> vocabulary)
    : SubwordTokenizer(kWhere,
                       special_of(vocabulary),
                       {{index_of(vocabulary, "[CLS]")},
                        {index_of(vocabulary, "[SEP]")},
                        true,
                        index_of(vocabulary, "[SEP]")}),
      vocabulary_(std::move(vocabulary)),
      initial_(vocabulary_.size()),
      continuing_(vocabulary_.size()),
      unknown_(index_of(vocabulary_, "[UNK]")) {
  if (unknown_ < 0 || around().before[0] < 0 || around().after[0] < 0)
    throw Error(kWhere, "the vocabulary must have [UNK], [CLS] and [SEP], but one is missing");
  for (std::size_t id = 0; id < vocabulary_.size(); ++id) {
    std::string_view token = vocabulary_[id];
    const bool continues = token.size() > 2 && token.starts_with("##");
    if (continues) token.remove_prefix(2);
    longest_ = std::max(longest_, token.size());
    if (!(continues ? continuing_ : initial_).insert(token, static_cast<std::int32_t>(id)))
      throw Error(kWhere, "a token must be in the vocabulary once, but '" + vocabulary_[id] +
                              "' comes twice");
  }
}

WordPiece WordPiece::from_vocab_txt(std::string_view content) {
  std::vector<std::string> vocabulary;
  for (std::size_t begin = 0; begin < content.size();) {
    const std::size_t end = std::min(content.find('\n', begin), content.size());
    std::string_view line = content.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    vocabulary.emplace_back(line);
    begin = end + 1;
  }
  return WordPiece(std::move(vocabulary));
}

// Longest pieces first, as BERT: from each place on the longest that is in the vocabulary.
void WordPiece::cut(std::string_view word, std::vector<std::int32_t>& out) const {
  if (const std::int32_t whole = initial_.find(word);
      whole >= 0 && utf8_characters(word) <= kMaxCharacters)
    return out.push_back(whole);
  const std::size_t before = out.size();
  bool fits = utf8_characters(word) <= kMaxCharacters;
  for (std::size_t begin = 0; fits && begin < word.size();) {
    const ByteMap& pieces = begin == 0 ? initial_ : continuing_;
    std::size_t end = std::min(word.size(), begin + longest_);
    std::int32_t id = -1;
    for (; end > begin; --end) {  // within a character nothing is found: all keys are UTF-8
      id = pieces.find(word.substr(begin, end - begin));
      if (id >= 0) break;
    }
    fits = id >= 0;
    if (fits) out.push_back(id);
    begin = end;
  }
  if (fits) return;
  out.resize(before);
  out.push_back(unknown_);
}

void WordPiece::encode_text(std::string_view text, bool, std::vector<std::int32_t>& out) const {
  const AsciiTable& ascii = bert_ascii();
  const auto make = [this](std::string_view w, std::vector<std::int32_t>& to) { cut(w, to); };
  PieceCache cache;
  BertRun run;
  std::string word;
  const auto flush = [&] {
    if (!word.empty()) cache.append(word, out, make);
    word.clear();
  };
  for (std::size_t at = 0; at < text.size();) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c >= 0x80) {
      for (const auto& [code, kind] : run.read(text, at)) {
        if (kind != BertKind::kLetter) flush();
        if (kind != BertKind::kSpace) append_utf8(word, code);
        if (kind == BertKind::kSymbol) flush();
      }
      continue;
    }
    if (ascii.kind[c] == BertKind::kLetter) {
      char letters[32];  // a long word takes several rounds
      std::size_t n = 0;
      for (unsigned char next = c;
           n < sizeof letters && next < 0x80 && ascii.kind[next] == BertKind::kLetter;) {
        letters[n++] = ascii.lower[next];
        if (++at == text.size()) break;
        next = static_cast<unsigned char>(text[at]);
      }
      word.append(letters, n);
      continue;
    }
    if (ascii.kind[c] != BertKind::kNone) flush();
    if (ascii.kind[c] == BertKind::kSymbol) {
      word += text[at];
      flush();
    }
    ++at;
  }
  flush();
}

std::string WordPiece::piece_text(std::int32_t token) const {
  const std::string& text = vocabulary_[static_cast<std::size_t>(token)];
  return text.size() > 2 && text.starts_with("##") ? text.substr(2) : " " + text;
}

std::string WordPiece::full_json() const {
  using nlohmann::ordered_json;
  ordered_json added = ordered_json::array(), vocabulary = ordered_json::object();
  for (const auto& [text, id] : special_tokens().list())
    added.push_back({{"id", id},
                     {"content", text},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  for (std::size_t id = 0; id < vocabulary_.size(); ++id) vocabulary[vocabulary_[id]] = id;
  const auto single = [&](const char* type, const char* name) {
    return ordered_json{{type, {{"id", name}, {"type_id", 0}}}};
  };
  const auto special = [&](const char* name, std::int32_t id) {
    return ordered_json{{"id", name}, {"ids", {id}}, {"tokens", {name}}};
  };
  ordered_json post = {
      {"type", "TemplateProcessing"},
      {"single",
       {single("SpecialToken", "[CLS]"), single("Sequence", "A"), single("SpecialToken", "[SEP]")}},
      {"pair", ordered_json::array()},
      {"special_tokens",
       {{"[CLS]", special("[CLS]", around().before[0])},
        {"[SEP]", special("[SEP]", around().after[0])}}}};
  return ordered_json{{"version", "1.0"},
                      {"truncation", nullptr},
                      {"padding", nullptr},
                      {"added_tokens", added},
                      {"normalizer",
                       {{"type", "BertNormalizer"},
                        {"clean_text", true},
                        {"handle_chinese_chars", true},
                        {"strip_accents", nullptr},
                        {"lowercase", true}}},
                      {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
                      {"post_processor", post},
                      {"decoder", {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", false}}},
                      {"model",
                       {{"type", "WordPiece"},
                        {"unk_token", "[UNK]"},
                        {"continuing_subword_prefix", "##"},
                        {"max_input_chars_per_word", kMaxCharacters},
                        {"vocab", vocabulary}}}}
      .dump();
}

}  // namespace bitlab
