#include "experiments/dataset.h"

#include <cmath>
#include <numeric>

#include "core/base/error.h"
#include "core/config/resolve.h"
#include "core/data/sources.h"
#include "core/data/synthetic_plays.h"
#include "core/data/tokenised_corpus.h"
#include "core/text/ngram.h"
#include "experiments/classification_task.h"
#include "experiments/loaded_run.h"

namespace bitlab {

namespace {

std::vector<Source> candidates(const DataConfig& config) {
  std::vector<Source> sources;
  for (const std::string& name : config.sources) {
    sources.push_back(find_source(name));
    Source& source = sources.back();
    const auto found = config.source_settings.find(name);
    source.settings = found == config.source_settings.end() ? source.make_config() : found->second;
    if (source.generate_with)
      source.generate = [generate = source.generate_with, settings = source.settings] {
        return generate(*settings);
      };
  }
  return sources;
}

// Those that were read, or the defaults of `plugin` if nobody read any.
template <class Plugin>
std::shared_ptr<Configurable> settings_of(const std::shared_ptr<Configurable>& read,
                                          const Plugin& plugin) {
  return read ? read : std::shared_ptr<Configurable>(plugin.make_config());
}

TokenizerChoice choice_of(const DataConfig& config) {
  const TokenizerPlugin& plugin = tokenizers().at(config.tokenizer);
  const auto settings = settings_of(config.tokenizer_settings, plugin);
  std::string code;  // of the plugin that made it
  for (const EntryInfo& entry : tokenizers().list())
    if (entry.name == config.tokenizer && !entry.origin.built_in())
      code += entry.origin.plugin + " " + std::to_string(entry.origin.version) + "\n";
  if (!plugin.of_text) {
    TokenizerChoice choice = given_tokenizer(plugin.make({}, *settings));
    if (plugin.version != 1) choice.key += " " + std::to_string(plugin.version);
    if (!code.empty()) choice.key += "\n" + code;
    return choice;
  }
  const std::string key = config.tokenizer + " " + std::to_string(plugin.version) + "\n" + code;
  return {
      key + to_toml(list_fields(*settings)),
      [&plugin, settings](const TokenizerTexts& texts) { return plugin.make(texts, *settings); },
      true};
}

DataFacts facts_of(const std::string& source, const TokenisedCorpus& corpus) {
  const auto number = [](std::uint64_t n) { return static_cast<std::int64_t>(n); };
  DataFacts facts;
  facts.source = source;
  facts.sha256 = corpus.sha256;
  facts.bytes = number(corpus.bytes);
  facts.train_tokens = number(corpus.splits.train.size());
  facts.val_tokens = number(corpus.splits.val.size());
  facts.vocab_size = number(corpus.tokenizer->vocab_size());
  facts.unit = corpus.tokenizer->unit();
  facts.tokenizer = corpus.tokenizer->id();
  facts.train_bytes = number(corpus.splits.train_bytes);
  facts.val_bytes = number(corpus.splits.val_bytes);
  return facts;
}

// Of the first source that can be had. Corpora are kept as tokens in the cache; a text is tokenised
// anew.
TokenisedCorpus tokenised(const std::vector<Source>& sources,
                          const TokenizerChoice& choice,
                          double val_fraction,
                          const FetchProgress& progress,
                          std::string& name) {
  SourceText source = open_first(
      sources,
      [&](const Source& s, const Corpus& corpus) {
        return tokens_are_cached(s.name, corpus, choice, val_fraction);
      },
      progress);
  name = source.name;
  TokenisedCorpus result =
      source.corpus ? tokenise_cached(name, *source.corpus, choice, val_fraction, progress)
                    : tokenise(TextCorpus(name, std::move(source.text)), choice, val_fraction);
  if (!source.sha256.empty() && result.sha256 != source.sha256)
    throw Error(name,
                "must have sha256 " + source.sha256 + " once it is read, but has " + result.sha256);
  result.notes.insert(result.notes.begin(), source.notes.begin(), source.notes.end());
  return result;
}

}  // namespace

namespace {

// The first source that can be had, its texts in their order.
std::vector<LabelledText> read_labelled(const std::vector<Source>& sources,
                                        const FetchProgress& progress,
                                        std::string& name,
                                        std::vector<std::string>& notes) {
  for (const Source& source : sources) {
    try {
      const FetchedSource files = fetch(source, progress);
      notes.insert(notes.end(), files.notes.begin(), files.notes.end());
      std::vector<LabelledText> texts;
      source.read_labelled(files, [&](LabelledText text) { texts.push_back(std::move(text)); });
      name = source.name;
      return texts;
    } catch (const Error& e) {
      notes.push_back(source.name + " is not used: " + e.what());
    }
  }
  std::string reasons;
  for (const std::string& note : notes) reasons += "\n  " + note;
  throw Error("data.sources", "at least one must be there, but none is:" + reasons);
}

// What a plugin's source may get wrong, and nothing later looks at.
void check_labels(const std::string& source,
                  const std::vector<LabelledText>& texts,
                  std::size_t labels) {
  for (const LabelledText& text : texts)
    if (text.label < 0 || static_cast<std::size_t>(text.label) >= labels)
      throw Error(source, "labels must be from 0 to " + std::to_string(labels - 1) +
                              ", as it names them, but a text has " + std::to_string(text.label));
}

Dataset open_labelled(const DataConfig& config, const FetchProgress& progress) {
  const TokenizerPlugin& plugin = tokenizers().at(config.tokenizer);
  if (plugin.of_text)
    throw UsageError("data.tokenizer",
                     "must have a vocabulary of its own where whole texts are read, but '" +
                         config.tokenizer + "' is made of the text",
                     "bert-uncased is what BERT's models were trained with");
  Dataset data;
  const std::vector<LabelledText> texts =
      read_labelled(candidates(config), progress, data.facts.source, data.notes);
  auto labelled = std::make_shared<LabelledDataset>();
  labelled->labels = find_source(data.facts.source).labels;
  const std::size_t labels = std::max<std::size_t>(1, labelled->labels.size());
  check_labels(data.facts.source, texts, labels);
  data.tokenizer = plugin.make({}, *settings_of(config.tokenizer_settings, plugin));
  const auto take = [&](LabelledSplit split, std::int64_t samples, LabelledTokens& to) {
    for (const std::size_t i :
         stratified_subset(texts, split, labels, static_cast<std::size_t>(samples),
                           static_cast<std::uint64_t>(config.sample_seed)))
      to.add(
          encode_text(*data.tokenizer, texts[i].text, static_cast<std::size_t>(config.max_length)),
          texts[i].label, static_cast<std::int64_t>(i));
  };
  take(LabelledSplit::Train, config.train_samples, labelled->train);
  take(LabelledSplit::Test, config.test_samples, labelled->test);
  for (const auto& [split, of] : {std::pair("train", &labelled->train), {"test", &labelled->test}})
    if (of->size() == 0)
      throw Error(data.facts.source,
                  std::string("must have texts of the split ") + split + ", but has none");
  const auto number = [](std::size_t n) { return static_cast<std::int64_t>(n); };
  DataFacts& facts = data.facts;
  facts.sha256 = hash_of(texts);
  for (const LabelledText& text : texts) facts.bytes += number(text.text.size());
  facts.train_tokens = number(labelled->train.size());
  facts.val_tokens = number(labelled->test.size());
  facts.vocab_size = number(data.tokenizer->vocab_size());
  facts.unit = "text";
  facts.tokenizer = data.tokenizer->id();
  facts.lengths = lengths_of(labelled->train);
  data.labelled = std::move(labelled);
  return data;
}

}  // namespace

Dataset open_dataset(const DataConfig& config, const FetchProgress& progress) {
  if (config.whole_texts()) return open_labelled(config, progress);
  Dataset data;
  std::string name;
  TokenisedCorpus corpus =
      tokenised(candidates(config), choice_of(config), config.val_fraction, progress, name);
  data.facts = facts_of(name, corpus);
  data.tokens = std::move(corpus.splits);
  data.tokenizer = std::move(corpus.tokenizer);
  data.notes = std::move(corpus.notes);
  return data;
}

LmDataset open_splits(const std::string& source,
                      std::shared_ptr<const Tokenizer> tokenizer,
                      double val_fraction) {
  std::string name;
  return tokenised({find_source(source)}, given_tokenizer(std::move(tokenizer)), val_fraction, {},
                   name)
      .splits;
}

namespace {

// What a model that knows the grammar loses on the last bytes of the generated plays, in nats in
// all.
double generated_floor(std::int64_t bytes) {
  const std::vector<double> losses = play_grammar().losses(synthetic_plays());
  return std::accumulate(losses.end() - static_cast<std::ptrdiff_t>(bytes), losses.end(), 0.0);
}

// The longest context worth counting: tables of many tokens say little, those of a large corpus
// take long. 0: none.
int ngram_order(const Dataset& data) {
  if (data.tokens.train.size() > std::size_t{1} << 25) return 0;
  return data.facts.unit == "character" || data.facts.vocab_size <= 256 ? 4 : 2;
}

}  // namespace

std::vector<ReferenceLoss> reference_losses(const Dataset& data, const std::string& task) {
  const std::size_t vocab_size = data.tokenizer->vocab_size();
  if (data.labelled) {
    const std::size_t choices = task == "masked-lm" ? vocab_size : data.labelled->labels.size();
    return {{"uniform", std::log(static_cast<double>(choices))}};
  }
  std::vector<ReferenceLoss> references = {{"uniform", std::log(static_cast<double>(vocab_size))}};
  if (const int order = ngram_order(data); order > 0)
    for (const NgramLoss& table : ngram_losses(data.tokens.train.to_vector(),
                                               data.tokens.val.to_vector(), vocab_size, order))
      references.push_back({table.name, table.loss});
  if (data.facts.source == "synthetic-plays")
    references.push_back({"entropy of the source", generated_floor(data.facts.val_bytes) /
                                                       static_cast<double>(data.facts.val_tokens)});
  return references;
}

std::shared_ptr<const Teacher> trained_teacher(const std::string& run,
                                               const TeacherStates& states) {
  return std::make_shared<const Teacher>(load_run(run).model, states);
}

std::unique_ptr<Task> make_task(const Spec& spec,
                                const Dataset& data,
                                std::uint64_t seed,
                                const Teachers& teachers) {
  const TaskPlugin& plugin = tasks().at(spec.task.name);
  return plugin.make({data.tokens, data.tokenizer->vocab_size(), spec.seq_len(),
                      static_cast<std::size_t>(spec.train.batch_size), seed,
                      static_cast<std::size_t>(spec.train.batch_size * spec.train.accumulate),
                      teachers, data.labelled.get(), data.tokenizer.get()},
                     spec.eval, *settings_of(spec.task.settings, plugin));
}

LanguageModel build_model(const Spec& spec, std::size_t vocab_size, std::uint64_t seed) {
  const ModelPlugin& plugin = models().at(spec.model_name);
  return LanguageModel(plugin.build(*spec.model, vocab_size),
                       plugin.logits_width(*spec.model, vocab_size), spec.seq_len(), seed);
}

LanguageModel build_empty_model(const Spec& spec, std::size_t vocab_size) {
  const ModelPlugin& plugin = models().at(spec.model_name);
  return LanguageModel(plugin.build(*spec.model, vocab_size),
                       plugin.logits_width(*spec.model, vocab_size), spec.seq_len());
}

}  // namespace bitlab
