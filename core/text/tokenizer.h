#pragma once
// Text to token ids and back.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
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
  // Throws Error if an id is not below vocab_size(). Decoding token by token gives the same text.
  virtual std::string decode(std::span<const std::int32_t> tokens) const = 0;
  virtual std::size_t vocab_size() const = 0;
  virtual std::string unit() const = 0;     // what a token is, for axes and tables: "character"
  virtual std::string id() const = 0;       // kind and content, for hashes: "char-1a2b3c4d"
  virtual std::string to_json() const = 0;  // all there is to know, for checkpoints
};

// The plugin point `tokenizer`.
struct TokenizerPlugin {
  int version = 1;  // enters the run id: raise it when the tokens of a text change
  std::string description = {};
  MakeConfig make_config = no_settings;
  // Of the text that will be trained on.
  std::function<std::unique_ptr<Tokenizer>(std::string_view text, const Configurable& config)>
      make = {};
  // Of what to_json() said, whose "type" is the entry's name.
  std::function<std::unique_ptr<Tokenizer>(std::string_view json)> from_json = {};
};

//   char   one token a character of the text
Registry<TokenizerPlugin>& tokenizers();

// The tokenizer that to_json() described: its "type" names the entry. Throws Error for anything
// else.
std::unique_ptr<Tokenizer> tokenizer_from_json(std::string_view json);

}  // namespace bitlab
