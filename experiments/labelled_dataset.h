#pragma once
// Labelled texts as tokens.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/data/labelled_texts.h"
#include "core/text/tokenizer.h"
#include "experiments/text_lengths.h"

namespace bitlab {

// Texts one after another.
class LabelledTokens {
 public:
  void add(const std::vector<std::int32_t>& tokens, std::int64_t label, std::int64_t text);

  std::size_t size() const { return labels_.size(); }
  std::size_t tokens() const { return tokens_.size(); }  // of all texts
  std::span<const std::int32_t> tokens_of(std::size_t i) const;
  std::size_t length_of(std::size_t i) const { return begins_[i + 1] - begins_[i]; }
  std::int64_t label_of(std::size_t i) const { return labels_[i]; }
  std::int64_t text_of(std::size_t i) const { return texts_[i]; }  // its number in the source

 private:
  std::vector<std::int32_t> tokens_;
  std::vector<std::size_t> begins_ = {0};
  std::vector<std::int64_t> labels_, texts_;
};

// Mean and standard deviation.
TextLengths lengths_of(const LabelledTokens& texts);

struct LabelledDataset {
  std::vector<std::string> labels;  // names
  LabelledTokens train, test;
};

// The tokens of a text with those around it ([CLS] ... [SEP]), at most max_length: then the end of
// the text is cut. An empty text has those around it alone. Throws UsageError if max_length leaves
// no room for a text.
std::vector<std::int32_t> encode_text(const Tokenizer& tokenizer,
                                      std::string_view text,
                                      std::size_t max_length);

}  // namespace bitlab
