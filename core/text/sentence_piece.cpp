#include "core/text/sentence_piece.h"

#include <nlohmann/json.hpp>
#include <queue>

#include "core/base/error.h"
#include "core/text/utf8.h"

namespace bitlab {

namespace {

constexpr const char* kWhere = "sentencepiece";

SpecialTokens::List special_of(const std::vector<SentencePiece::Piece>& pieces) {
  SpecialTokens::List list;
  for (std::size_t id = 0; id < pieces.size(); ++id)
    if (pieces[id].type == SentencePiece::Type::kControl)
      list.emplace_back(pieces[id].text, static_cast<std::int32_t>(id));
  return list;
}

std::int32_t control_of(const std::vector<SentencePiece::Piece>& pieces, const char* name) {
  for (const auto& [text, id] : special_of(pieces))
    if (text == name) return id;
  throw Error(kWhere, std::string("there must be a control piece ") + name + ", but there is none");
}

// Whether a space stands after something else in a piece.
bool has_inner_space(std::string_view text) {
  while (text.starts_with(SentencePiece::kSpace)) text.remove_prefix(SentencePiece::kSpace.size());
  return text.find(SentencePiece::kSpace) != std::string_view::npos;
}

}  // namespace

int SentencePiece::byte_of(std::string_view text) {
  if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return -1;
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const std::size_t high = kDigits.find(text[3]), low = kDigits.find(text[4]);
  if (high == std::string_view::npos || low == std::string_view::npos) return -1;
  return static_cast<int>(16 * high + low);
}

SentencePiece::SentencePiece(std::vector<Piece> pieces,
                             std::vector<BpeMerge> merges,
                             SpaceRules spaces)
    : SubwordTokenizer(kWhere,
                       special_of(pieces),
                       {{control_of(pieces, "<s>")}, {}, spaces.strip, control_of(pieces, "</s>")}),
      pieces_(std::move(pieces)),
      merges_(std::move(merges)),
      ranks_(merges_),
      spaces_(spaces),
      normal_(pieces_.size()) {
  std::fill(std::begin(bytes_), std::end(bytes_), -1);
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const auto id = static_cast<std::int32_t>(i);
    const Piece& piece = pieces_[i];
    const int byte = byte_of(piece.text);
    if (piece.type == Type::kUserDefined)
      throw Error(kWhere,
                  "user-defined pieces are not known here, but '" + piece.text + "' is one");
    if (piece.type == Type::kByte && byte >= 0) bytes_[byte] = id;
    if (piece.type != Type::kNormal) continue;
    if (piece.text.empty() || !normal_.insert(piece.text, id))
      throw Error(kWhere,
                  "a piece must have a text and come once, but '" + piece.text + "' does not");
    words_stand_alone_ = words_stand_alone_ && !has_inner_space(piece.text);
  }
  for (int b = 0; b < 256; ++b)
    if (bytes_[b] < 0)
      throw Error(kWhere, "each byte must have a piece, but " + std::to_string(b) + " has none");
  check_merges();
}

void SentencePiece::check_merges() const {
  if (merges_.empty() && spaces_ != SpaceRules())
    throw Error(kWhere, "other rules for spaces must come with merges, but there are none");
  const auto text = [&](std::int32_t id) -> const std::string& {
    const auto i = static_cast<std::size_t>(id);
    if (i >= pieces_.size() || pieces_[i].type != Type::kNormal)
      throw Error(kWhere,
                  "a merge must be of normal pieces, but " + std::to_string(id) + " is none");
    return pieces_[i].text;
  };
  for (const BpeMerge& m : merges_)
    if (text(m.left) + text(m.right) != text(m.result))
      throw Error(kWhere, "a merge must join its two pieces, but that of '" + text(m.left) +
                              "' and '" + text(m.right) + "' does not");
}

void SentencePiece::merge(std::string_view word, std::vector<std::int32_t>& out) const {
  struct Symbol {
    std::size_t begin, length;  // length 0: joined to the one before
    std::size_t previous, next;
    std::int32_t id;  // -1: no piece
  };
  struct Candidate {
    double order;                     // the highest first: a score, or minus a rank
    std::size_t left, right, length;  // stale if the lengths no longer add up
    std::int32_t id;
    bool operator<(const Candidate& other) const {
      return order != other.order ? order < other.order : left > other.left;
    }
  };
  constexpr std::size_t kNone = ~std::size_t{0};
  std::vector<Symbol> symbols;
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t length = std::max<std::size_t>(1, utf8_length(word, at));
    const std::size_t i = symbols.size();
    symbols.push_back(
        {at, length, i == 0 ? kNone : i - 1, i + 1, normal_.find(word.substr(at, length))});
    at += length;
  }
  symbols.back().next = kNone;
  std::priority_queue<Candidate> heap;
  const auto offer = [&](std::size_t left, std::size_t right) {
    if (left == kNone || right == kNone) return;
    const Symbol &a = symbols[left], &b = symbols[right];
    const std::size_t length = a.length + b.length;
    if (!merges_.empty()) {
      if (a.id < 0 || b.id < 0) return;
      if (const MergeTable::Pair* pair = ranks_.find(a.id, b.id))
        heap.push({-static_cast<double>(pair->rank), left, right, length, pair->result});
    } else if (const std::int32_t id = normal_.find(word.substr(a.begin, length)); id >= 0) {
      heap.push({pieces_[static_cast<std::size_t>(id)].score, left, right, length, id});
    }
  };
  for (std::size_t i = 0; i + 1 < symbols.size(); ++i) offer(i, i + 1);
  while (!heap.empty()) {
    const Candidate best = heap.top();
    heap.pop();
    Symbol &left = symbols[best.left], &right = symbols[best.right];
    if (left.length == 0 || right.length == 0 || left.length + right.length != best.length)
      continue;
    left.length = best.length;
    left.id = best.id;
    right.length = 0;
    left.next = right.next;
    if (right.next != kNone) symbols[right.next].previous = best.left;
    offer(left.previous, best.left);
    offer(best.left, left.next);
  }
  for (std::size_t i = 0; i != kNone; i = symbols[i].next) {
    if (symbols[i].id >= 0) {
      out.push_back(symbols[i].id);
      continue;
    }
    for (const char byte : word.substr(symbols[i].begin, symbols[i].length))
      out.push_back(bytes_[static_cast<unsigned char>(byte)]);
  }
}

void SentencePiece::encode_text(std::string_view text,
                                bool first,
                                std::vector<std::int32_t>& out) const {
  using Before = SpaceRules::Before;
  bool spaced = spaces_.before == Before::kAlways || (first && spaces_.before != Before::kNever);
  if (spaces_.before != Before::kText) spaced = spaced && !text.starts_with(' ');
  for (;; spaced = false) {
    const std::size_t end = std::min(text.find(kSpace), text.size());
    encode_plain(text.substr(0, end), spaced, out);
    if (end == text.size()) return;
    for (const char b : kSpace) out.push_back(bytes_[static_cast<unsigned char>(b)]);
    text.remove_prefix(end + kSpace.size());
  }
}

// Of a text without U+2581; `spaced`: with a space before it.
void SentencePiece::encode_plain(std::string_view text,
                                 bool spaced,
                                 std::vector<std::int32_t>& out) const {
  std::string written(spaced ? kSpace : "");
  written.reserve(text.size() + text.size() / 2);
  for (const char c : text) c == ' ' ? void(written += kSpace) : void(written += c);
  if (written.empty()) return;
  if (!words_stand_alone_ && !spaces_.split) return merge(written, out);
  // Nothing is ever joined over the beginning of a word, so each can be done alone.
  PieceCache cache;
  const auto make = [this](std::string_view w, std::vector<std::int32_t>& to) { merge(w, to); };
  const std::string_view all = written;
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = begin;
    while (all.substr(end).starts_with(kSpace)) {
      end += kSpace.size();
      if (spaces_.split) break;
    }
    end = std::min(all.find(kSpace, end), all.size());
    cache.append(all.substr(begin, end - begin), out, make);
    begin = end;
  }
}

std::string SentencePiece::piece_text(std::int32_t token) const {
  const Piece& piece = pieces_[static_cast<std::size_t>(token)];
  if (piece.type == Type::kByte) return {static_cast<char>(byte_of(piece.text))};
  if (piece.type != Type::kNormal) return piece.text;
  std::string text;
  for (std::size_t at = 0; at < piece.text.size();) {
    const bool space = std::string_view(piece.text).substr(at).starts_with(kSpace);
    text += space ? ' ' : piece.text[at];
    at += space ? kSpace.size() : 1;
  }
  return text;
}

std::string SentencePiece::full_json() const {
  if (!merges_.empty()) return hf_json();
  nlohmann::ordered_json pieces = nlohmann::ordered_json::array();
  for (const Piece& p : pieces_) pieces.push_back({p.text, p.score, static_cast<int>(p.type)});
  return nlohmann::ordered_json{{"type", "sentencepiece"}, {"pieces", pieces}}.dump();
}

}  // namespace bitlab
