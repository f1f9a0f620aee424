#include "experiments/labelled_dataset.h"

#include <cmath>

#include "core/base/error.h"
#include "core/text/subword.h"

namespace bitlab {

void LabelledTokens::add(const std::vector<std::int32_t>& tokens,
                         std::int64_t label,
                         std::int64_t text) {
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  begins_.push_back(tokens_.size());
  labels_.push_back(label);
  texts_.push_back(text);
}

std::span<const std::int32_t> LabelledTokens::tokens_of(std::size_t i) const {
  return std::span(tokens_).subspan(begins_[i], length_of(i));
}

TextLengths lengths_of(const LabelledTokens& texts) {
  if (texts.size() == 0) return {};
  const auto n = static_cast<double>(texts.size());
  TextLengths lengths;
  lengths.mean = static_cast<double>(texts.tokens()) / n;
  double squares = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const double above = static_cast<double>(texts.length_of(i)) - lengths.mean;
    squares += above * above;
  }
  lengths.sd = std::sqrt(squares / n);
  return lengths;
}

std::vector<std::int32_t> encode_text(const Tokenizer& tokenizer,
                                      std::string_view text,
                                      std::size_t max_length) {
  std::vector<std::int32_t> tokens;
  if (const auto* subword = dynamic_cast<const SubwordTokenizer*>(&tokenizer)) {
    const std::size_t around = subword->encode("", {.wrap = true}).size();
    if (max_length <= around)
      throw UsageError("data.max_length",
                       "must leave room for a text beside the " + std::to_string(around) +
                           " tokens around it, but is " + std::to_string(max_length));
    tokens = subword->encode(text, {.wrap = true, .max_tokens = max_length});
  } else {
    tokens = tokenizer.encode(text);
    if (tokens.size() > max_length) tokens.resize(max_length);
  }
  if (tokens.empty())
    throw UsageError("classification",
                     "a text must have tokens, but an empty one has none in this vocabulary",
                     "a tokenizer such as bert-uncased puts [CLS] before every text");
  return tokens;
}

}  // namespace bitlab
