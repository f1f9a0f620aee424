#include "core/text/byte_bpe.h"

#include <algorithm>
#include <queue>

#include "core/base/error.h"

namespace bitlab {

namespace {

constexpr const char* kWhere = "bpe";

// GPT-2's, or LLaMA-3's.
std::optional<std::int32_t> document_end_of(const SpecialTokens::List& special) {
  for (const auto& [text, id] : special)
    if (text == kEndOfText || text == "<|end_of_text|>") return id;
  return std::nullopt;
}

}  // namespace

ByteBpe::ByteBpe(Parts parts)
    : SubwordTokenizer(kWhere,
                       parts.special,
                       {parts.begin ? std::vector{*parts.begin} : std::vector<std::int32_t>{},
                        {},
                        false,
                        document_end_of(parts.special)}),
      parts_(std::move(parts)),
      pre_(parts_.pattern) {
  fill_tokens();
  check_merges();
  merges_ = MergeTable(parts_.merges);
  find_direct();
}

// Token of each byte; all ids in range, no token twice.
void ByteBpe::fill_tokens() {
  std::fill(std::begin(bytes_), std::end(bytes_), -1);
  const auto size = static_cast<std::int32_t>(parts_.tokens.size());
  std::vector<bool> special(parts_.tokens.size());
  for (const auto& [text, id] : parts_.special) {
    if (id < 0 || id >= size || parts_.tokens[static_cast<std::size_t>(id)] != text)
      throw Error(kWhere, "special token '" + text + "' must have an id of its own");
    special[static_cast<std::size_t>(id)] = true;
  }
  ByteMap seen(parts_.tokens.size());
  for (std::int32_t id = 0; id < size; ++id) {
    const std::string& token = parts_.tokens[static_cast<std::size_t>(id)];
    if (special[static_cast<std::size_t>(id)]) continue;
    if (token.empty() || !seen.insert(token, id))
      throw Error(kWhere, "a token must have bytes and come once, but token " + std::to_string(id) +
                              " does not");
    if (token.size() == 1) bytes_[static_cast<unsigned char>(token[0])] = id;
  }
  for (int b = 0; b < 256; ++b)
    if (bytes_[b] < 0)
      throw Error(kWhere, "each byte must have a token, but " + std::to_string(b) + " has none");
}

void ByteBpe::check_merges() const {
  const auto bytes = [&](std::int32_t id) -> const std::string& {
    if (id < 0 || static_cast<std::size_t>(id) >= parts_.tokens.size())
      throw Error(kWhere,
                  "a merge must be of tokens, but there is none of id " + std::to_string(id));
    return parts_.tokens[static_cast<std::size_t>(id)];
  };
  for (std::size_t rank = 0; rank < parts_.merges.size(); ++rank) {
    const BpeMerge& m = parts_.merges[rank];
    if (bytes(m.left) + bytes(m.right) != bytes(m.result))
      throw Error(kWhere, "a merge must join its two tokens, but number " + std::to_string(rank) +
                              " does not");
  }
}

// Most pieces of a text are one token; those are found without merging.
void ByteBpe::find_direct() {
  ByteMap direct(parts_.tokens.size());
  std::vector<bool> special(parts_.tokens.size());
  for (const auto& entry : parts_.special) special[static_cast<std::size_t>(entry.second)] = true;
  std::vector<std::int32_t> merged;
  for (std::size_t id = 0; id < parts_.tokens.size(); ++id) {
    if (special[id]) continue;
    const std::string& token = parts_.tokens[id];
    merged.clear();
    if (!parts_.whole_pieces) merge(token, merged);
    if (parts_.whole_pieces || merged.size() == 1)
      direct.insert(token, static_cast<std::int32_t>(id));
  }
  direct_ = std::move(direct);
}

void ByteBpe::merge(std::string_view piece, std::vector<std::int32_t>& out) const {
  const std::size_t begin = out.size();
  for (const char b : piece) out.push_back(bytes_[static_cast<unsigned char>(b)]);
  piece.size() <= 48 ? merge_short(out, begin) : merge_long(out, begin);
}

// Looks through all pairs for each merge: quadratic, and fastest for words.
void ByteBpe::merge_short(std::vector<std::int32_t>& tokens, std::size_t begin) const {
  const MergeTable::Pair* pairs[48];  // of token i and the one after it
  std::size_t count = tokens.size() - begin;
  std::int32_t* t = tokens.data() + begin;
  for (std::size_t i = 0; i + 1 < count; ++i) pairs[i] = merges_.find(t[i], t[i + 1]);
  for (;;) {
    std::size_t best = count;
    for (std::size_t i = 0; i + 1 < count; ++i)
      if (pairs[i] && (best == count || pairs[i]->rank < pairs[best]->rank)) best = i;
    if (best == count) break;
    t[best] = pairs[best]->result;
    std::copy(t + best + 2, t + count, t + best + 1);
    if (best + 2 < count) std::copy(pairs + best + 2, pairs + count - 1, pairs + best + 1);
    --count;
    if (best > 0) pairs[best - 1] = merges_.find(t[best - 1], t[best]);
    if (best + 1 < count) pairs[best] = merges_.find(t[best], t[best + 1]);
  }
  tokens.resize(begin + count);
}

// A linked list and a heap of its pairs: n log n, for pieces that are no words.
void ByteBpe::merge_long(std::vector<std::int32_t>& tokens, std::size_t begin) const {
  struct Candidate {
    std::int32_t rank;
    std::size_t at;
    std::int32_t left, right;                       // stale if the tokens there are others by now
    bool operator<(const Candidate& other) const {  // the heap's top: lowest rank, leftmost
      return rank != other.rank ? rank > other.rank : at > other.at;
    }
  };
  const std::size_t count = tokens.size() - begin;
  std::int32_t* t = tokens.data() + begin;
  std::vector<std::size_t> next(count), previous(count);
  std::priority_queue<Candidate> heap;
  const auto offer = [&](std::size_t at) {
    if (at >= count || next[at] >= count) return;
    if (const MergeTable::Pair* pair = merges_.find(t[at], t[next[at]]))
      heap.push({pair->rank, at, t[at], t[next[at]]});
  };
  for (std::size_t i = 0; i < count; ++i) {
    next[i] = i + 1;
    previous[i] = i == 0 ? count : i - 1;
  }
  for (std::size_t i = 0; i < count; ++i) offer(i);
  while (!heap.empty()) {
    const Candidate best = heap.top();
    heap.pop();
    const std::size_t right = next[best.at];
    if (t[best.at] != best.left || right >= count || t[right] != best.right) continue;
    t[best.at] = merges_.find(best.left, best.right)->result;
    t[right] = -1;
    next[best.at] = next[right];
    if (next[right] < count) previous[next[right]] = best.at;
    offer(best.at);
    offer(previous[best.at]);
  }
  tokens.erase(std::remove(tokens.begin() + static_cast<std::ptrdiff_t>(begin), tokens.end(), -1),
               tokens.end());
}

void ByteBpe::encode_text(std::string_view text, bool, std::vector<std::int32_t>& out) const {
  PreTokenizer::Pieces pieces(pre_, text);
  PieceCache cache;
  const auto make = [this](std::string_view p, std::vector<std::int32_t>& to) { merge(p, to); };
  for (std::string_view piece; !(piece = pieces.next()).empty();) {
    if (const std::int32_t id = direct_.find(piece); id >= 0)
      out.push_back(id);
    else
      cache.append(piece, out, make);
  }
}

std::string ByteBpe::piece_text(std::int32_t token) const {
  return parts_.tokens[static_cast<std::size_t>(token)];
}

}  // namespace bitlab
