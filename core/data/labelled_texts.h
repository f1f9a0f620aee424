#pragma once
// Texts that belong to classes.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace bitlab {

enum class LabelledSplit { Train, Test };

struct LabelledText {
  LabelledSplit split = LabelledSplit::Train;
  std::int64_t label = 0;
  std::string text;
};
using LabelledTextSink = std::function<void(LabelledText text)>;

// SHA-256 over split, label and text of all, in their order.
std::string hash_of(const std::vector<LabelledText>& texts);

// A seeded subset of a split with the same number of each label (the first labels have one more
// where `count` is no multiple), as indices into `texts`, ascending; which texts it has depends on
// the seed, the split and the label alone, so that a greater subset contains a smaller one. count
// 0: all texts of the split. Throws UsageError if a label has too few texts.
std::vector<std::size_t> stratified_subset(const std::vector<LabelledText>& texts,
                                           LabelledSplit split,
                                           std::size_t labels,
                                           std::size_t count,
                                           std::uint64_t seed);

}  // namespace bitlab
