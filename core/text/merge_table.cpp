#include "core/text/merge_table.h"

#include <bit>

namespace bitlab {

MergeTable::MergeTable(const std::vector<BpeMerge>& merges)
    : pairs_(std::bit_ceil(2 * merges.size() + 2)) {
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const BpeMerge& m = merges[rank];
    const std::uint64_t key = key_of(m.left, m.right);
    Pair& slot = pairs_[slot_of(key)];
    if (slot.result < 0) slot = {key, static_cast<std::int32_t>(rank), m.result};
  }
}

}  // namespace bitlab
