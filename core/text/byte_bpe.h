#pragma once
// Byte-level byte pair encoding: GPT-2, LLaMA-3 and vocabularies of one's own.
#include <optional>

#include "core/text/byte_map.h"
#include "core/text/pre_tokenizer.h"
#include "core/text/subword.h"

namespace bitlab {

// A merge joins two neighbouring tokens into one.
struct BpeMerge {
  std::int32_t left = 0, right = 0, result = 0;
};

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
  struct Pair {
    std::uint64_t key = ~std::uint64_t{0};  // left << 32 | right
    std::int32_t rank = 0, result = -1;
  };
  void encode_text(std::string_view text,
                   bool first,
                   std::vector<std::int32_t>& out) const override;
  std::string piece_text(std::int32_t token) const override;
  const Pair* find(std::int32_t left, std::int32_t right) const;
  void fill_tokens();
  void fill_merges();
  void find_direct();
  void merge(std::string_view piece, std::vector<std::int32_t>& out) const;
  void merge_short(std::vector<std::int32_t>& tokens, std::size_t begin) const;
  void merge_long(std::vector<std::int32_t>& tokens, std::size_t begin) const;

  Parts parts_;
  PreTokenizer pre_;
  std::int32_t bytes_[256];
  ByteMap direct_;           // pieces that are one token
  std::vector<Pair> pairs_;  // open addressing, at most half full
};

}  // namespace bitlab
