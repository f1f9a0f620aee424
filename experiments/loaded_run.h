#pragma once
// A run's trained model, read back from its folder alone.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/text/tokenizer.h"
#include "experiments/spec.h"
#include "experiments/stored_param.h"
#include "layers/models/model.h"

namespace bitlab {

enum class LoadWeights {
  Checkpoint,  // of the newest one
  Packed,      // packed.safetensors: codes and no latent weights, in a fraction of the memory
};

struct LoadedRun {
  Spec spec;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::unique_ptr<LanguageModel> model;  // prepared
  std::filesystem::path checkpoint;      // the newest one
  std::filesystem::path weights;         // the file that the model's are from
  std::int64_t step = 0;                 // of the checkpoint
  std::uint64_t seed = 1;
  bool packed = false;      // that file holds codes and no latent weights
  std::string data_sha256;  // of the data that it was trained on; empty: not told
  std::string imported;     // the format that it was imported from; empty: trained here
  // Of an imported model: what stands before a text, and the tokens that each end one.
  std::vector<std::int32_t> begin_tokens, end_tokens;
  std::vector<std::string> labels;  // of a classifier, in the order of its logits; may be empty
};

// Throws Error if the folder holds no complete checkpoint, UsageError if it holds no packed weights
// and these are wanted.
LoadedRun load_run(const std::filesystem::path& run_dir,
                   LoadWeights weights = LoadWeights::Checkpoint,
                   Tables tables = Tables::Widened);

// Of the newest checkpoint's weights: what tells this trained model from any other. Throws Error if
// the folder holds no complete checkpoint.
std::string weights_sha256(const std::filesystem::path& run_dir);

// Throws UsageError in the name of export if the checkpoint is of a step at which quantisation has
// not faded in yet.
void require_faded_in(const LoadedRun& run);

// Throws UsageError in the name of `verb` if the run's model does not predict the next token.
void require_language_model(const LoadedRun& run, const std::string& verb);

}  // namespace bitlab
