#pragma once
// The part of export_model.h that writes encoders.
#include <filesystem>

#include "experiments/export_model.h"
#include "experiments/loaded_run.h"
#include "layers/models/bert.h"

namespace bitlab {

// As BERT, or as DistilBERT if there are no types of tokens. Ternary matrices are written as the
// floats that they stand for, as transformers have no ternary encoders: the model there computes
// the same. Throws UsageError for what they do not compute, such as quantised activations.
ExportResult export_encoder(const LoadedRun& run,
                            const BertConfig& config,
                            const std::filesystem::path& folder,
                            ExportWeights weights);

}  // namespace bitlab
