#pragma once
// A finished run with nothing but what is needed to use its model.
#include <cstdint>
#include <filesystem>

#include "experiments/export_model.h"

namespace bitlab {

// Writes a run folder into `folder`, which must not exist yet or be empty; whole or not at all: the
// run's settings, status, metrics and provenance, and one checkpoint that holds the weights in this
// form, the tokenizer and the labels, but no optimiser's state. Returns the bytes of
// model.safetensors. Throws UsageError if the run is not done, or has no such weights: codes of a
// full-precision model, latent weights of one that was imported packed.
std::uintmax_t export_run(const std::filesystem::path& run_dir,
                          const std::filesystem::path& folder,
                          ExportWeights weights);

}  // namespace bitlab
