#pragma once
// The data of an experiment: text found, tokenised, split.
#include <memory>
#include <string>
#include <vector>

#include "core/data/lm_dataset.h"
#include "core/io/remote_file.h"
#include "core/text/tokenizer.h"
#include "experiments/labelled_dataset.h"
#include "experiments/plan.h"
#include "experiments/spec.h"
#include "layers/models/model.h"

namespace bitlab {

struct Dataset {
  LmDataset tokens;                                 // empty of whole texts
  std::shared_ptr<const LabelledDataset> labelled;  // null of others
  std::shared_ptr<const Tokenizer> tokenizer;
  DataFacts facts;
  std::vector<std::string>
      notes;  // what the user has to be told: sources that failed, line ends changed
};

// Opens the first source that can be had. `progress` is told of downloads, and of texts that become
// tokens. Throws Error that says why each one failed if none can.
Dataset open_dataset(const DataConfig& config, const FetchProgress& progress = {});

// The splits of one source (a name, or a path with a '/') in the tokens of a given tokenizer.
// val_fraction: of sources without a val of their own. Throws Error, or UsageError if there is no
// such source.
LmDataset open_splits(const std::string& source,
                      std::shared_ptr<const Tokenizer> tokenizer,
                      double val_fraction);

// Losses of a task that need no model, in nats a token: uniform over the vocabulary, or the labels
// that are told apart; n-gram tables counted on the training split (up to 4 characters, or 2
// tokens; of at most 33 million tokens), and the known entropy of a generated source.
std::vector<ReferenceLoss> reference_losses(const Dataset& data, const std::string& task);

// The model that a run's folder holds, as a teacher.
std::shared_ptr<const Teacher> trained_teacher(const std::string& run, const TeacherStates& states);

// The task of a spec on this data, which must outlive it.
std::unique_ptr<Task> make_task(const Spec& spec,
                                const Dataset& data,
                                std::uint64_t seed,
                                const Teachers& teachers = trained_teacher);

// The model of a spec for this data, initialised from the seed.
LanguageModel build_model(const Spec& spec, std::size_t vocab_size, std::uint64_t seed);
// The same with parameters that are zero and not prepared, to be loaded.
LanguageModel build_empty_model(const Spec& spec, std::size_t vocab_size);

}  // namespace bitlab
