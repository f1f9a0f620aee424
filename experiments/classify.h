#pragma once
// Texts classified by a trained model.
#include <cstdint>
#include <string>
#include <vector>

#include "experiments/loaded_run.h"

namespace bitlab {

struct ClassifiedText {
  std::size_t label = 0;              // the most probable
  std::vector<double> probabilities;  // of all labels
  std::size_t tokens = 0;             // that the model read
};

struct Classification {
  std::vector<std::string> labels;  // names; "label 0", "label 1" where the model has none
  std::vector<ClassifiedText> texts;
  std::size_t tokens = 0;
  double seconds = 0;  // of the model, tokenising not counted
};

// Texts that are too long lose their end; bytes that are no UTF-8 are left out (WordPiece), and an
// empty text is one of [CLS] and [SEP] alone. Any number of threads gives the same bits. Throws
// UsageError if the run's model is no classifier.
Classification classify(const LoadedRun& run,
                        const std::vector<std::string>& texts,
                        std::size_t threads);

}  // namespace bitlab
