#pragma once
// What the tokenizers of real models share: special tokens, tokens around a text, truncation.
#include <array>
#include <utility>

#include "core/text/tokenizer.h"

namespace bitlab {

struct EncodeOptions {
  bool special = false;        // special tokens written in the text become their ids; else: text
  bool wrap = false;           // with the tokens around a text: <s> ..., [CLS] ... [SEP]
  std::size_t max_tokens = 0;  // at most so many, those around included; the end is cut. 0: all
};

// Tokens that stand for no text: <s>, [CLS], <|eot_id|>.
class SpecialTokens {
 public:
  using List = std::vector<std::pair<std::string, std::int32_t>>;
  explicit SpecialTokens(List list);

  struct Match {
    std::size_t at = std::string_view::npos;  // npos: there is none
    std::size_t length = 0;
    std::int32_t id = -1;
  };
  // The id of this text, if it is one of them.
  std::optional<std::int32_t> id_of(std::string_view text) const;
  // The first in text[from, ...); where several begin at one place, the longest.
  Match find(std::string_view text, std::size_t from) const;
  const List& list() const { return list_; }

 private:
  List list_;  // longest first
  std::array<bool, 256> first_{};
};

class SubwordTokenizer : public Tokenizer {
 public:
  // The text alone: what looks like a special token is text, nothing is put around it.
  std::vector<std::int32_t> encode(std::string_view text) const final { return encode(text, {}); }
  // Throws UsageError if max_tokens leaves no room for the tokens around the text.
  std::vector<std::int32_t> encode(std::string_view text, const EncodeOptions& options) const;
  // The pieces one after another, without the leading space where the tokenizer puts one. Special
  // tokens are written out.
  std::string decode(std::span<const std::int32_t> tokens) const final;
  // Throws Error if the id is not below vocab_size().
  std::string piece(std::int32_t token) const final;
  std::optional<std::int32_t> document_end() const final { return around_.document_end; }

  std::string unit() const final { return "token"; }
  std::string id() const final;
  // A name and an id if refer_to() gave them; else full_json().
  std::string to_json() const final;
  // The whole tokenizer: Hugging Face's tokenizer.json, or bitlab's own form where that would not
  // say all.
  virtual std::string full_json() const = 0;
  // tokenizer.json for other programs.
  virtual std::string hf_json() const { return full_json(); }
  // What tokenizer_from_json() reads without other files: full_json(), beside the name and the id
  // if there are.
  std::string whole_json() const;
  // From now on to_json() only names the entry of tokenizers() that makes this one; `id` tells it
  // from others of that name.
  void refer_to(std::string name, std::string id);
  const SpecialTokens& special_tokens() const { return special_; }

 protected:
  struct Around {
    std::vector<std::int32_t> before, after;
    bool leading_space = false;  // the first piece of a text begins with a space that is not in it
    std::optional<std::int32_t> document_end = {};
  };
  SubwordTokenizer(std::string kind, SpecialTokens::List special, Around around);

  // Appends the tokens of a text without special tokens. `first`: nothing stands before it.
  virtual void encode_text(std::string_view text,
                           bool first,
                           std::vector<std::int32_t>& out) const = 0;
  virtual std::string piece_text(std::int32_t token) const = 0;  // token is in range
  const Around& around() const { return around_; }

 private:
  std::string kind_;                           // in errors and ids
  std::string reference_name_, reference_id_;  // of refer_to()
  SpecialTokens special_;
  Around around_;
};

// What full_json() said, or Hugging Face's tokenizer.json. Throws Error for anything else.
std::unique_ptr<SubwordTokenizer> subword_from_json(std::string_view json);

}  // namespace bitlab
