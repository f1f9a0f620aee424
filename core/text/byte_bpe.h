#pragma once
// Byte-level byte pair encoding: GPT-2, LLaMA-3 and vocabularies of one's own.
#include <optional>

#include "core/text/byte_map.h"
#include "core/text/merge_table.h"
#include "core/text/pre_tokenizer.h"
#include "core/text/subword.h"

namespace bitlab {

inline constexpr const char* kEndOfText = "<|endoftext|>";  // of GPT-2

// The text is cut into pieces by a regular expression (PreTokenizer). Each piece starts as its
// bytes; the pair of neighbours whose merge has the lowest rank is joined, the leftmost first,
// until no pair can be. Any bytes have tokens, and decode(encode(x)) == x for all x: a byte that is
// not part of UTF-8 is a piece of its own.
class ByteBpe final : public SubwordTokenizer {
 public:
  struct Parts {
    std::vector<std::string> tokens;  // bytes by id; special tokens as they are written
    std::vector<BpeMerge> merges;     // by rank
    std::string pattern;
    bool whole_pieces = false;  // a piece that is a token needs no merges (LLaMA-3, tiktoken)
    SpecialTokens::List special;
    std::optional<std::int32_t> begin;  // put before a text where that is asked for
  };
  // Throws Error if a byte has no token, ids are out of range, a token comes twice, or a merge does
  // not join its two tokens.
  explicit ByteBpe(Parts parts);
  // tokenizer.model of LLaMA-3 in tiktoken's form: "BASE64 RANK" a line. Pattern and the 256
  // special tokens are LLaMA-3's.
  static ByteBpe from_tiktoken(std::string_view content);
  // GPT-2's two files.
  static ByteBpe from_gpt2(std::string_view encoder_json, std::string_view vocab_bpe);

  std::size_t vocab_size() const override { return parts_.tokens.size(); }
  std::string full_json() const override;  // as Hugging Face's tokenizer.json

 private:
  void encode_text(std::string_view text,
                   bool first,
                   std::vector<std::int32_t>& out) const override;
  std::string piece_text(std::int32_t token) const override;
  void fill_tokens();
  void check_merges() const;
  void find_direct();
  void merge(std::string_view piece, std::vector<std::int32_t>& out) const;
  void merge_short(std::vector<std::int32_t>& tokens, std::size_t begin) const;
  void merge_long(std::vector<std::int32_t>& tokens, std::size_t begin) const;

  Parts parts_;
  PreTokenizer pre_;
  std::int32_t bytes_[256];
  ByteMap direct_;  // pieces that are one token
  MergeTable merges_;
};

}  // namespace bitlab
