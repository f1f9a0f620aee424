#pragma once
// From the documents of a corpus to the tokens of its splits. Used by tokenised_corpus.cpp and
// token_files.cpp.
#include <array>
#include <functional>

#include "core/data/corpus.h"
#include "core/data/lm_dataset.h"
#include "core/text/tokenizer.h"

namespace bitlab {

inline constexpr std::array<const char*, 3> kSplitNames = {"train", "val", "test"};
// Of Train, Val, Test.
inline std::size_t split_index(TextSplit split) { return static_cast<std::size_t>(split) - 1; }

using SplitBytes = std::array<std::uint64_t, 3>;  // of the text behind the tokens

// `done`: bytes of the corpus so far.
using TokenSink =
    std::function<void(TextSplit split, const std::vector<std::int32_t>& ids, std::uint64_t done)>;

// Hands the tokens of each split to `emit` in their order; says how many bytes they stand for.
SplitBytes encode_splits(const Corpus& corpus,
                         const CorpusFacts& facts,
                         double val_fraction,
                         const Tokenizer& tokenizer,
                         const TokenSink& emit);

// Throws Error if train or val is empty.
void require_splits(const LmDataset& splits, double val_fraction);

}  // namespace bitlab
