#pragma once
// The merges of byte pair encoding by the pair that they join.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitlab {

// A merge joins two neighbouring tokens into one.
struct BpeMerge {
  std::int32_t left = 0, right = 0, result = 0;
};

class MergeTable {
 public:
  MergeTable() : MergeTable(std::vector<BpeMerge>()) {}
  // A merge's rank is its place in the list; of two of the same pair the first counts. Ids must not
  // be negative.
  explicit MergeTable(const std::vector<BpeMerge>& merges);

  struct Pair {
    std::uint64_t key = ~std::uint64_t{0};  // left << 32 | right
    std::int32_t rank = 0, result = -1;
  };
  // Null if nothing joins them.
  const Pair* find(std::int32_t left, std::int32_t right) const {
    const Pair& slot = pairs_[slot_of(key_of(left, right))];
    return slot.result >= 0 ? &slot : nullptr;
  }

 private:
  static std::uint64_t key_of(std::int32_t left, std::int32_t right) {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 |
           static_cast<std::uint32_t>(right);
  }
  // Where a key is, or would be.
  std::size_t slot_of(std::uint64_t key) const {
    const std::size_t mask = pairs_.size() - 1;
    std::size_t i = (key * 0x9E3779B97F4A7C15u) >> 32 & mask;
    while (pairs_[i].result >= 0 && pairs_[i].key != key) i = (i + 1) & mask;
    return i;
  }

  std::vector<Pair> pairs_;  // open addressing, a power of two, at most half full
};

}  // namespace bitlab
