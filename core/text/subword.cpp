#include "core/text/subword.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/sha256.h"

namespace bitlab {

SpecialTokens::SpecialTokens(List list) : list_(std::move(list)) {
  std::stable_sort(list_.begin(), list_.end(),
                   [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
  for (const auto& [text, id] : list_) {
    if (text.empty())
      throw Error("tokenizer", "a special token must have a text, but one is empty");
    first_[static_cast<unsigned char>(text[0])] = true;
  }
}

SpecialTokens::Match SpecialTokens::find(std::string_view text, std::size_t from) const {
  for (std::size_t at = from; at < text.size(); ++at) {
    if (!first_[static_cast<unsigned char>(text[at])]) continue;
    for (const auto& [token, id] : list_)
      if (text.compare(at, token.size(), token) == 0) return {at, token.size(), id};
  }
  return {};
}

std::optional<std::int32_t> SpecialTokens::id_of(std::string_view text) const {
  for (const auto& [token, id] : list_)
    if (token == text) return id;
  return std::nullopt;
}

SubwordTokenizer::SubwordTokenizer(std::string kind, SpecialTokens::List special, Around around)
    : kind_(std::move(kind)), special_(std::move(special)), around_(std::move(around)) {}

std::vector<std::int32_t> SubwordTokenizer::encode(std::string_view text,
                                                   const EncodeOptions& options) const {
  const std::size_t around = around_.before.size() + around_.after.size();
  if (options.wrap && options.max_tokens > 0 && options.max_tokens < around)
    throw UsageError(kind_, "max_tokens must be at least " + std::to_string(around) +
                                ", for the tokens around a text, but is " +
                                std::to_string(options.max_tokens));
  std::vector<std::int32_t> tokens;
  tokens.reserve(text.size() / 4 + 8);
  if (options.wrap) tokens = around_.before;
  for (std::size_t at = 0; at < text.size();) {
    const auto match = options.special ? special_.find(text, at) : SpecialTokens::Match{};
    const std::size_t end = std::min(match.at, text.size());
    if (end > at) encode_text(text.substr(at, end - at), at == 0, tokens);
    if (match.id >= 0) tokens.push_back(match.id);
    at = end + match.length;
  }
  const std::size_t after = options.wrap ? around_.after.size() : 0;
  if (options.max_tokens > 0) tokens.resize(std::min(tokens.size(), options.max_tokens - after));
  if (options.wrap) tokens.insert(tokens.end(), around_.after.begin(), around_.after.end());
  return tokens;
}

std::string SubwordTokenizer::piece(std::int32_t token) const {
  if (token < 0 || static_cast<std::size_t>(token) >= vocab_size())
    throw Error(kind_, "token must be in 0.." + std::to_string(vocab_size() - 1) + ", but is " +
                           std::to_string(token));
  return piece_text(token);
}

std::string SubwordTokenizer::decode(std::span<const std::int32_t> tokens) const {
  std::string text;
  for (const std::int32_t token : tokens) text += piece(token);
  if (around_.leading_space && !text.empty() && text[0] == ' ') text.erase(0, 1);
  return text;
}

std::string SubwordTokenizer::id() const {
  if (!reference_id_.empty()) return reference_id_;
  return kind_ + "-" + sha256_hex(full_json()).substr(0, 8);
}

std::string SubwordTokenizer::to_json() const {
  if (reference_id_.empty()) return full_json();
  return nlohmann::ordered_json{{"type", reference_name_}, {"id", reference_id_}}.dump();
}

std::string SubwordTokenizer::whole_json() const {
  if (reference_id_.empty()) return full_json();
  std::string json = to_json();
  json.pop_back();
  return json + ",\"whole\":" + full_json() + "}";
}

void SubwordTokenizer::refer_to(std::string name, std::string id) {
  reference_name_ = std::move(name);
  reference_id_ = std::move(id);
}

}  // namespace bitlab
