#include "core/data/labelled_texts.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/base/sha256.h"
#include "core/base/shuffle.h"

namespace bitlab {

namespace {

std::string name_of(LabelledSplit split) {
  return split == LabelledSplit::Train ? "train" : "test";
}

}  // namespace

std::string hash_of(const std::vector<LabelledText>& texts) {
  Sha256 hash;
  for (const LabelledText& text : texts) {
    hash.update(name_of(text.split) + " " + std::to_string(text.label) + "\n");
    hash.update(text.text);
    hash.update("\xff");
  }
  return hash.hex();
}

std::vector<std::size_t> stratified_subset(const std::vector<LabelledText>& texts,
                                           LabelledSplit split,
                                           std::size_t labels,
                                           std::size_t count,
                                           std::uint64_t seed) {
  std::vector<std::vector<std::size_t>> of_label(labels);
  for (std::size_t i = 0; i < texts.size(); ++i)
    if (texts[i].split == split) of_label.at(static_cast<std::size_t>(texts[i].label)).push_back(i);
  std::vector<std::size_t> chosen;
  for (std::size_t label = 0; label < labels; ++label) {
    std::vector<std::size_t>& all = of_label[label];
    const std::size_t wanted =
        count == 0 ? all.size() : count / labels + (label < count % labels ? 1 : 0);
    if (wanted > all.size())
      throw UsageError("data." + name_of(split) + "_samples",
                       "must leave enough texts of each label, but label " + std::to_string(label) +
                           " has " + std::to_string(all.size()) + " of " + std::to_string(wanted),
                       "0 takes all");
    const Rng rng(seed, "subset/" + name_of(split) + "/" + std::to_string(label));
    shuffle_first(all, wanted, rng, 0);
    chosen.insert(chosen.end(), all.begin(), all.begin() + static_cast<std::ptrdiff_t>(wanted));
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace bitlab
