#pragma once
// Random draws without repetition.
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/rng.h"

namespace bitlab {

// The first `count` of `items` become a random choice of them in random order, the others follow
// (Fisher and Yates). Uses draws 0 .. count - 1 of `step`; a larger count only adds to a smaller
// one's choice.
template <class T>
void shuffle_first(std::vector<T>& items, std::size_t count, const Rng& rng, std::uint64_t step) {
  for (std::size_t i = 0; i < count; ++i)
    std::swap(items[i], items[i + rng.below(items.size() - i, step, i)]);
}

}  // namespace bitlab
