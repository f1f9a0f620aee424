#pragma once
// WordPiece as in BERT's uncased models (Devlin et al., 2019), as Hugging Face's tokenizers has it.
#include "core/text/byte_map.h"
#include "core/text/subword.h"

namespace bitlab {

// A text goes through these steps:
//  1. what is not UTF-8, U+0000, U+FFFD and control characters (Cc, Cf, Co but tab and line breaks)
//     are left out; white space becomes spaces;
//  2. each Chinese character (CJK ideographs) becomes a word;
//  3. NFD, without nonspacing marks (Mn); lower case, character by character;
//  4. words end at white space; punctuation (all ASCII symbols, and Unicode P*) is a word a
//  character;
//  5. a word is cut into the longest pieces of the vocabulary from its beginning on, "##" before
//  all
//     but the first. A word that cannot be cut, or of more than 100 characters, is [UNK].
// decode() joins words by single spaces: what the steps lost does not come back.
class WordPiece final : public SubwordTokenizer {
 public:
  // The tokens by id. Throws Error if one comes twice, or if [UNK], [CLS] or [SEP] is missing.
  explicit WordPiece(std::vector<std::string> vocabulary);
  // vocab.txt: a token a line.
  static WordPiece from_vocab_txt(std::string_view content);

  std::size_t vocab_size() const override { return vocabulary_.size(); }
  std::string full_json() const override;  // as Hugging Face's tokenizer.json

 private:
  void encode_text(std::string_view text,
                   bool first,
                   std::vector<std::int32_t>& out) const override;
  std::string piece_text(std::int32_t token) const override;
  void cut(std::string_view word, std::vector<std::int32_t>& out) const;

  std::vector<std::string> vocabulary_;
  ByteMap initial_, continuing_;  // continuing_: without "##"
  std::size_t longest_ = 0;       // bytes of a piece
  std::int32_t unknown_ = -1;
};

}  // namespace bitlab
