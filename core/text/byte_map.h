#pragma once
// Numbers by byte strings, for vocabularies: one lookup is a hash, one slot (almost always), one
// comparison.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bitlab {

class ByteMap {
 public:
  explicit ByteMap(std::size_t expected = 0);

  // The number of this key, or -1.
  std::int32_t find(std::string_view key) const;
  // Stores a number >= 0. False, and nothing is changed, if the key is there already.
  bool insert(std::string_view key, std::int32_t value);
  std::size_t size() const { return size_; }

 private:
  struct Slot {
    std::uint32_t tag = 0;  // upper half of the hash
    std::uint32_t length = 0;
    std::uint32_t offset = 0;  // into keys_
    std::int32_t value = -1;   // -1: empty
  };
  std::size_t slot_of(std::string_view key, std::uint64_t hash) const;  // its own, or a free one
  void grow();

  std::vector<Slot> slots_;  // a power of two, at most half full
  std::string keys_;         // all keys, one after another
  std::size_t size_ = 0;
};

// The tokens of pieces that were seen before, for one call of encode(): words come again and again.
// Keeps at most 65536 pieces of at most 64 bytes.
class PieceCache {
 public:
  // Appends the tokens of `piece`: remembered ones, or those that make(piece, out) appends.
  template <class Make>
  void append(std::string_view piece, std::vector<std::int32_t>& out, const Make& make) {
    const std::int32_t known = map_.find(piece);
    if (known >= 0) {
      const Range r = ranges_[static_cast<std::size_t>(known)];
      out.insert(out.end(), tokens_.begin() + r.begin, tokens_.begin() + r.end);
      return;
    }
    const auto before = static_cast<std::ptrdiff_t>(out.size());
    make(piece, out);
    if (piece.size() > 64 || map_.size() >= 65536) return;
    const auto begin = static_cast<std::int32_t>(tokens_.size());
    tokens_.insert(tokens_.end(), out.begin() + before, out.end());
    map_.insert(piece, static_cast<std::int32_t>(ranges_.size()));
    ranges_.push_back({begin, static_cast<std::int32_t>(tokens_.size())});
  }

 private:
  struct Range {
    std::int32_t begin = 0, end = 0;  // in tokens_
  };
  ByteMap map_;
  std::vector<Range> ranges_;
  std::vector<std::int32_t> tokens_;
};

}  // namespace bitlab
