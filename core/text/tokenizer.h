#pragma once
// Text to token ids and back.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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

// The tokenizer that to_json() described. Throws Error for anything else.
std::unique_ptr<Tokenizer> tokenizer_from_json(std::string_view json);

}  // namespace bitlab
