#include "experiments/dataset.h"

#include <cmath>
#include <numeric>

#include "core/data/sources.h"
#include "core/data/synthetic_plays.h"
#include "core/text/char_tokenizer.h"
#include "core/text/ngram.h"

namespace bitlab {

Dataset open_dataset(const DataConfig& config) {
  const SourceText source = open_first(config.sources);
  Dataset data;
  data.tokenizer = std::make_unique<CharTokenizer>(CharTokenizer::from_text(source.text));
  data.tokens = make_lm_dataset(source.text, *data.tokenizer, config.val_fraction);
  data.facts = {source.name,
                source.sha256,
                static_cast<std::int64_t>(source.bytes),
                static_cast<std::int64_t>(data.tokens.train.size()),
                static_cast<std::int64_t>(data.tokens.val.size()),
                static_cast<std::int64_t>(data.tokenizer->vocab_size()),
                data.tokenizer->unit()};
  data.notes = source.notes;
  return data;
}

namespace {

// What a model that knows the grammar loses on the last `count` characters (single bytes) of the
// generated plays.
double generated_floor(std::size_t count) {
  const std::vector<double> losses = play_grammar().losses(synthetic_plays());
  return std::accumulate(losses.end() - static_cast<std::ptrdiff_t>(count), losses.end(), 0.0) /
         static_cast<double>(count);
}

}  // namespace

std::vector<ReferenceLoss> reference_losses(const Dataset& data) {
  const std::size_t vocab_size = data.tokenizer->vocab_size();
  std::vector<ReferenceLoss> references = {{"uniform", std::log(static_cast<double>(vocab_size))}};
  for (const NgramLoss& table : ngram_losses(data.tokens.train, data.tokens.val, vocab_size))
    references.push_back({table.name, table.loss});
  if (data.facts.source == "synthetic-plays")
    references.push_back({"entropy of the source", generated_floor(data.tokens.val.size())});
  return references;
}

LanguageModel build_model(const Spec& spec, std::size_t vocab_size, std::uint64_t seed) {
  return LanguageModel(models().at(spec.model_name).build(*spec.model, vocab_size), vocab_size,
                       spec.seq_len(), seed);
}

}  // namespace bitlab
