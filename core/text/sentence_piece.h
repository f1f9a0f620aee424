#pragma once
// SentencePiece's BPE as LLaMA-2 and llama2.c use it: pieces with scores, bytes for what has none.
#include "core/text/byte_map.h"
#include "core/text/merge_table.h"
#include "core/text/subword.h"

namespace bitlab {

// How the spaces of a text become pieces.
struct SpaceRules {
  enum class Before {
    kText,    // one is put before a text, as SentencePiece does it
    kFirst,   // the same, but not where the text begins with one: Metaspace's "first"
    kAlways,  // as kFirst, and behind each special token too
    kNever,
  };
  Before before = Before::kText;
  bool split = false;  // each space begins a piece, so that no two of them are ever in one
  bool strip = true;   // decode() leaves out the first one

  bool operator==(const SpaceRules&) const = default;
};

// A space is put before a text that begins one, and spaces are written as U+2581. The text starts
// as its characters; the two neighbours that join to the piece of the highest score are joined, the
// leftmost first, until none do (or, where there are merges, as in Hugging Face's tokenizer.json,
// those whose merge has the lowest rank). A character that ends up as no piece becomes the tokens
// of its bytes; so do a byte that is not part of UTF-8 (SentencePiece itself has U+FFFD there) and
// a U+2581 of the text itself (a space there). decode() leaves out the first space;
// decode(encode(x)) == x, but for a text that begins with a space where SpaceRules put none before
// it and strip one.
class SentencePiece final : public SubwordTokenizer {
 public:
  enum class Type : std::uint8_t { kNormal = 1, kUnknown, kControl, kUserDefined, kUnused, kByte };
  static constexpr std::string_view kSpace = "\u2581";  // a space in pieces
  struct Piece {
    std::string text;  // spaces are U+2581; of bytes: "<0x0A>"
    float score = 0;
    Type type = Type::kNormal;
  };
  // The byte that "<0x0A>" stands for, or -1.
  static int byte_of(std::string_view text);
  // Throws Error if a byte, <s> or </s> is missing, a piece comes twice, a piece is user-defined,
  // or a merge does not join two normal pieces to one. `merges` by rank; none: scores say what is
  // joined. Only with merges may there be other rules than SentencePiece's own.
  explicit SentencePiece(std::vector<Piece> pieces,
                         std::vector<BpeMerge> merges = {},
                         SpaceRules spaces = {});
  // tokenizer.model, SentencePiece's protobuf. Throws Error unless it is BPE with byte fallback, no
  // normalisation, and a space put before the text.
  static SentencePiece from_model(std::string_view content);
  // tokenizer.bin of llama2.c: pieces 0 to 2 are <unk>, <s>, </s>; then come the bytes.
  static SentencePiece from_llama2c(std::string_view content);

  std::size_t vocab_size() const override { return pieces_.size(); }
  // Of one with scores bitlab's own, {"type": "sentencepiece", "pieces": ...}; of one with merges
  // hf_json().
  std::string full_json() const override;
  // Scores are written as the merges of all ways to cut a piece into two, the best piece first.
  // Where two ways of the same piece overlap in a text, the leftmost need no longer win.
  std::string hf_json() const override;

 private:
  void encode_text(std::string_view text,
                   bool first,
                   std::vector<std::int32_t>& out) const override;
  std::string piece_text(std::int32_t token) const override;
  void encode_plain(std::string_view text, bool spaced, std::vector<std::int32_t>& out) const;
  void merge(std::string_view word, std::vector<std::int32_t>& out) const;
  void check_merges() const;
  std::vector<BpeMerge> merges_of_scores() const;

  std::vector<Piece> pieces_;
  std::vector<BpeMerge> merges_;  // empty: scores
  MergeTable ranks_;              // of merges_
  SpaceRules spaces_;
  ByteMap normal_;
  std::int32_t bytes_[256];
  bool words_stand_alone_ = true;  // no piece has a space after something else
};

}  // namespace bitlab
