#pragma once
// A run's trained model, read back from its folder alone.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/text/tokenizer.h"
#include "experiments/spec.h"
#include "layers/models/model.h"

namespace bitlab {

struct LoadedRun {
  Spec spec;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::unique_ptr<LanguageModel> model;  // parameters of the newest checkpoint, prepared
  std::filesystem::path checkpoint;
  std::int64_t step = 0;  // of the checkpoint
  std::uint64_t seed = 1;
  bool packed = false;   // the checkpoint holds codes and no latent weights
  std::string imported;  // the format that it was imported from; empty: trained here
  // Of an imported model: what stands before a text, and the tokens that each end one.
  std::vector<std::int32_t> begin_tokens, end_tokens;
  std::vector<std::string> labels;  // of a classifier, in the order of its logits; may be empty
};

// Throws Error if the folder holds no complete checkpoint.
LoadedRun load_run(const std::filesystem::path& run_dir);

// Throws UsageError in the name of `verb` if the run's model does not predict the next token.
void require_language_model(const LoadedRun& run, const std::string& verb);

}  // namespace bitlab
