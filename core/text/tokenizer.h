#pragma once
// Text to token ids and back.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/registry.h"
#include "core/config/fields.h"

namespace bitlab {

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Throws Error if the text cannot be written in this vocabulary.
  virtual std::vector<std::int32_t> encode(std::string_view text) const = 0;
  // Throws Error if an id is not below vocab_size().
  virtual std::string decode(std::span<const std::int32_t> tokens) const = 0;
  // What one token adds to a text that has begun; for text that comes token by token.
  virtual std::string piece(std::int32_t token) const { return decode({&token, 1}); }
  // The token that stands between documents of a corpus: <|endoftext|>, </s>, [SEP]. Empty if the
  // vocabulary has none; then a line break does.
  virtual std::optional<std::int32_t> document_end() const { return std::nullopt; }
  virtual std::size_t vocab_size() const = 0;
  virtual std::string unit() const = 0;     // what a token is, for axes and tables: "character"
  virtual std::string id() const = 0;       // kind and content, for hashes: "char-1a2b3c4d"
  virtual std::string to_json() const = 0;  // for checkpoints; tokenizer_from_json() reads it
};

// Hands out a text from its beginning, in pieces that end between characters. May be called again.
using TextReader = std::function<void(const std::function<void(std::string_view piece)>& take)>;

// What a tokenizer can be made of. Either may be larger than memory.
struct TokenizerTexts {
  TextReader all;    // what is trained and validated on
  TextReader train;  // the training split alone
};

// The plugin point `tokenizer`.
struct TokenizerPlugin {
  int version = 1;  // enters the run id: raise it when the tokens of a text change
  std::string description = {};
  MakeConfig make_config = no_settings;
  std::function<std::unique_ptr<Tokenizer>(const TokenizerTexts& texts, const Configurable& config)>
      make = {};
  // Of what to_json() said, whose "type" is the entry's name.
  std::function<std::unique_ptr<Tokenizer>(std::string_view json)> from_json = {};
  bool of_text = true;  // made of the text; otherwise make() does not look at it
};

//   char   one token a character of the text
//   bpe    byte-level BPE learned from the training split (bpe_trainer.h)
//   file   from a file: tokenizer.json, tokenizer.model ...
//   llama3, gpt2, llama2, bert-uncased: of these models (named_tokenizers.h)
Registry<TokenizerPlugin>& tokenizers();

// The tokenizer that to_json() described: its "type" names the entry. Throws Error for anything
// else.
std::unique_ptr<Tokenizer> tokenizer_from_json(std::string_view json);

}  // namespace bitlab
