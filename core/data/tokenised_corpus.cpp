#include "core/data/tokenised_corpus.h"

#include "core/base/error.h"
#include "core/data/split_encoder.h"

namespace bitlab {

TokenizerChoice given_tokenizer(std::shared_ptr<const Tokenizer> tokenizer) {
  std::string key = tokenizer->id();
  return {std::move(key), [tokenizer](const TokenizerTexts&) { return tokenizer; }};
}

TokenisedCorpus tokenise(const Corpus& corpus, const TokenizerChoice& choice, double val_fraction) {
  const CorpusFacts facts = measure(corpus);
  TokenisedCorpus result;
  result.tokenizer = choice.make(tokenizer_texts(corpus, facts, val_fraction));
  result.sha256 = facts.sha256;
  result.bytes = facts.bytes;
  result.notes = corpus.notes();
  std::vector<std::int32_t> tokens[3];
  const SplitBytes bytes =
      encode_splits(corpus, facts, val_fraction, *result.tokenizer,
                    [&](TextSplit split, const std::vector<std::int32_t>& ids, std::uint64_t) {
                      auto& all = tokens[split_index(split)];
                      all.insert(all.end(), ids.begin(), ids.end());
                    });
  result.splits = {std::move(tokens[0]),
                   std::move(tokens[1]),
                   std::move(tokens[2]),
                   bytes[0],
                   bytes[1],
                   bytes[2]};
  require_splits(result.splits, val_fraction);
  return result;
}

}  // namespace bitlab
