#include "core/data/split_encoder.h"

#include "core/base/error.h"

namespace bitlab {

SplitBytes encode_splits(const Corpus& corpus,
                         const CorpusFacts& facts,
                         double val_fraction,
                         const Tokenizer& tokenizer,
                         const TokenSink& emit) {
  const auto end = tokenizer.document_end();
  const std::vector<std::int32_t> separator = facts.documents < 2 ? std::vector<std::int32_t>{}
                                              : end               ? std::vector{*end}
                                                                  : tokenizer.encode("\n");
  const std::uint64_t separator_bytes = separator.empty() || end ? 0 : 1;
  SplitBytes bytes{};
  std::uint64_t done = 0;
  std::array<bool, 3> between{};  // a document has ended
  read_splits(corpus, facts, val_fraction, [&](const TextPart& part) {
    const std::size_t i = split_index(part.split);
    if (between[i] && !separator.empty()) {
      emit(part.split, separator, done);
      bytes[i] += separator_bytes;
    }
    done += part.text.size();
    emit(part.split, tokenizer.encode(part.text), done);
    bytes[i] += part.text.size();
    between[i] = part.ends_document;
  });
  return bytes;
}

void require_splits(const LmDataset& splits, double val_fraction) {
  if (splits.train.size() > 0 && splits.val.size() > 0) return;
  throw Error("data.val_fraction",
              "must leave tokens for both splits, but is " + std::to_string(val_fraction) +
                  " for " + std::to_string(splits.train.size() + splits.val.size()) + " tokens");
}

}  // namespace bitlab
