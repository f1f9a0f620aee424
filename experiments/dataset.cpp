#include "experiments/dataset.h"

#include <cmath>
#include <numeric>

#include "core/data/sources.h"
#include "core/data/synthetic_plays.h"
#include "core/text/ngram.h"

namespace bitlab {

namespace {

std::vector<Source> candidates(const DataConfig& config) {
  std::vector<Source> sources;
  for (const std::string& name : config.sources) {
    sources.push_back(find_source(name));
    Source& source = sources.back();
    if (!source.generate_with) continue;
    const auto found = config.source_settings.find(name);
    source.generate = [generate = source.generate_with,
                       settings = found == config.source_settings.end()
                                      ? std::shared_ptr<Configurable>(source.make_config())
                                      : found->second] { return generate(*settings); };
  }
  return sources;
}

// Those that were read, or the defaults of `plugin` if nobody read any.
template <class Plugin>
std::shared_ptr<Configurable> settings_of(const std::shared_ptr<Configurable>& read,
                                          const Plugin& plugin) {
  return read ? read : std::shared_ptr<Configurable>(plugin.make_config());
}

}  // namespace

Dataset open_dataset(const DataConfig& config) {
  const SourceText source = open_first(candidates(config));
  Dataset data;
  const TokenizerPlugin& tokenizer = tokenizers().at(config.tokenizer);
  const auto whole = [&](const auto& take) { take(source.text); };
  data.tokenizer =
      tokenizer.make({whole, whole}, *settings_of(config.tokenizer_settings, tokenizer));
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

std::unique_ptr<Task> make_task(const Spec& spec, const Dataset& data, std::uint64_t seed) {
  const TaskPlugin& plugin = tasks().at(spec.task.name);
  return plugin.make({data.tokens, data.tokenizer->vocab_size(), spec.seq_len(),
                      static_cast<std::size_t>(spec.train.batch_size), seed},
                     spec.eval, *settings_of(spec.task.settings, plugin));
}

LanguageModel build_model(const Spec& spec, std::size_t vocab_size, std::uint64_t seed) {
  const ModelPlugin& plugin = models().at(spec.model_name);
  return LanguageModel(plugin.build(*spec.model, vocab_size),
                       plugin.logits_width(*spec.model, vocab_size), spec.seq_len(), seed);
}

}  // namespace bitlab
