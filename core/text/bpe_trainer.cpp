#include "core/text/bpe_trainer.h"

#include <algorithm>
#include <queue>
#include <unordered_map>

#include "core/base/error.h"

namespace bitlab {

namespace {

using Pair = std::pair<std::int32_t, std::int32_t>;

struct Hash {
  std::size_t operator()(const Pair& p) const {
    const auto left = static_cast<std::uint32_t>(p.first);
    const auto right = static_cast<std::uint32_t>(p.second);
    return ((std::uint64_t{left} << 32 | right) * 0x9E3779B97F4A7C15u) >> 20;
  }
};

// A piece of the text as tokens, and how often it comes.
struct Word {
  std::vector<std::int32_t> tokens;
  std::int64_t count = 0;
};

std::vector<Word> count_words(const TextReader& text) {
  const PreTokenizer pre(kLlama3Pattern);
  ByteMap ids;
  std::vector<Word> words;
  text([&](std::string_view part) {
    PreTokenizer::Pieces pieces(pre, part);
    for (std::string_view piece; !(piece = pieces.next()).empty();) {
      std::int32_t id = ids.find(piece);
      if (id < 0) {
        id = static_cast<std::int32_t>(words.size());
        ids.insert(piece, id);
        words.push_back({});
        for (const char b : piece) words.back().tokens.push_back(static_cast<unsigned char>(b));
      }
      ++words[static_cast<std::size_t>(id)].count;
    }
  });
  return words;
}

// How often each pair of neighbours comes, kept up to date merge by merge: only the words that have
// the merged pair are looked at.
class PairCounts {
 public:
  explicit PairCounts(std::vector<Word> words) : words_(std::move(words)) {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      const auto& t = words_[w].tokens;
      for (std::size_t i = 0; i + 1 < t.size(); ++i) add({t[i], t[i + 1]}, w);
    }
    for (const auto& [pair, info] : pairs_) heap_.push({info.count, pair});
  }

  // The most frequent pair; of several the first. A count of 0 if there is none.
  std::pair<Pair, std::int64_t> best() {
    while (!heap_.empty()) {
      const Candidate top = heap_.top();
      const std::int64_t now = pairs_.at(top.pair).count;
      if (now == top.count) return {top.pair, now};
      heap_.pop();
      if (now > 0) heap_.push({now, top.pair});
    }
    return {{}, 0};
  }

  void merge(const Pair& pair, std::int32_t result) {
    const std::vector<std::uint32_t> where = std::move(pairs_.at(pair).words);
    grown_.clear();
    for (const std::uint32_t w : where) merge_word(w, pair, result);
    std::sort(grown_.begin(), grown_.end());
    grown_.erase(std::unique(grown_.begin(), grown_.end()), grown_.end());
    for (const Pair& p : grown_) heap_.push({pairs_.at(p).count, p});
  }

 private:
  struct Info {
    std::int64_t count = 0;
    std::vector<std::uint32_t> words;  // that have or had the pair; perhaps twice
  };
  struct Candidate {  // its count may be too high by now, never too low
    std::int64_t count;
    Pair pair;
    bool operator<(const Candidate& other) const {
      return count != other.count ? count < other.count : pair > other.pair;
    }
  };

  void add(const Pair& pair, std::size_t word) {
    Info& info = pairs_[pair];
    info.count += words_[word].count;
    const auto w = static_cast<std::uint32_t>(word);
    if (info.words.empty() || info.words.back() != w) info.words.push_back(w);
  }
  void remove(const Pair& pair, std::size_t word) { pairs_.at(pair).count -= words_[word].count; }

  void merge_word(std::size_t word, const Pair& pair, std::int32_t result) {
    auto& t = words_[word].tokens;
    std::size_t kept = 0;  // tokens before it are as they will be
    for (std::size_t i = 0; i < t.size(); ++i, ++kept) {
      if (i + 1 == t.size() || t[i] != pair.first || t[i + 1] != pair.second) {
        t[kept] = t[i];
        continue;
      }
      remove(pair, word);
      if (kept > 0) change({t[kept - 1], pair.first}, {t[kept - 1], result}, word);
      if (i + 2 < t.size()) change({pair.second, t[i + 2]}, {result, t[i + 2]}, word);
      t[kept] = result;
      ++i;
    }
    t.resize(kept);
  }
  void change(const Pair& from, const Pair& to, std::size_t word) {
    remove(from, word);
    add(to, word);
    grown_.push_back(to);
  }

  std::vector<Word> words_;
  std::unordered_map<Pair, Info, Hash> pairs_;
  std::priority_queue<Candidate> heap_;
  std::vector<Pair> grown_;
};

}  // namespace

ByteBpe train_byte_bpe(const TextReader& text, std::size_t vocab_size) {
  if (vocab_size < 257)
    throw UsageError("bpe",
                     "vocab_size must be at least 257, for all bytes and the end of a text, "
                     "but is " +
                         std::to_string(vocab_size));
  ByteBpe::Parts parts;
  for (int b = 0; b < 256; ++b) parts.tokens.emplace_back(1, static_cast<char>(b));
  ByteMap ids(vocab_size);  // of tokens that were made by merges
  PairCounts counts(count_words(text));
  while (parts.tokens.size() + 1 < vocab_size) {
    const auto [pair, count] = counts.best();
    if (count < 2)
      throw UsageError("bpe", "vocab_size must be at most " +
                                  std::to_string(parts.tokens.size() + 1) +
                                  " for this text, which has no further pair twice, but is " +
                                  std::to_string(vocab_size));
    const std::string joined = parts.tokens[static_cast<std::size_t>(pair.first)] +
                               parts.tokens[static_cast<std::size_t>(pair.second)];
    std::int32_t id = ids.find(joined);
    if (id < 0) {
      id = static_cast<std::int32_t>(parts.tokens.size());
      ids.insert(joined, id);
      parts.tokens.push_back(joined);
    }
    parts.merges.push_back({pair.first, pair.second, id});
    counts.merge(pair, id);
  }
  parts.pattern = kLlama3Pattern;
  parts.special = {{kEndOfText, static_cast<std::int32_t>(parts.tokens.size())}};
  parts.tokens.emplace_back(kEndOfText);
  return ByteBpe(std::move(parts));
}

}  // namespace bitlab
