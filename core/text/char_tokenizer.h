#pragma once
// One token a character: the sorted set of the Unicode characters of a text, as in nanoGPT.
#include <map>

#include "core/text/tokenizer.h"

namespace bitlab {

class CharTokenizer final : public Tokenizer {
 public:
  // The characters of this text, numbered in the order of their code points. Throws Error if it is
  // empty or not UTF-8.
  static CharTokenizer from_text(std::string_view text);
  static CharTokenizer from_text(const TextReader& text);
  // What to_json() said.
  static std::unique_ptr<Tokenizer> from_json(std::string_view json);
  // Exactly these characters, in this order. Throws Error if one comes twice.
  explicit CharTokenizer(std::vector<std::string> characters);

  std::vector<std::int32_t> encode(std::string_view text) const override;
  std::string decode(std::span<const std::int32_t> tokens) const override;
  std::size_t vocab_size() const override { return characters_.size(); }
  std::string unit() const override { return "character"; }
  std::string id() const override;
  std::string to_json() const override;

 private:
  std::vector<std::string> characters_;  // UTF-8
  std::map<std::string, std::int32_t, std::less<>> ids_;
  std::int32_t ascii_[128];  // id or -1; most texts need no other
};

}  // namespace bitlab
