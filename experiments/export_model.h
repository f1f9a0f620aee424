#pragma once
// A run's model as a folder of Hugging Face's transformers.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/io/safetensors.h"

namespace bitlab {

// A tokenizer that transformers do not have: what its to_json() says.
inline constexpr const char* kOwnTokenizerFile = "tokenizer.bitlab.json";

enum class ExportWeights {
  F32,        // as they are; of a ternary decoder the latent weights
  F16,        // rounded
  BF16,       // rounded
  Packed,     // ternary matrices as 2-bit codes with their scale (to multiply by), the rest F32
  PackedF16,  // the same, the rest rounded; of runs alone
};

// The dtype of floats.
DType export_dtype(ExportWeights weights);

struct ExportResult {
  std::string architecture;  // LlamaForCausalLM, BitNetForCausalLM, BertForSequenceClassification
  std::uintmax_t bytes = 0;  // of model.safetensors
  std::vector<std::string> notes;
};

// Writes config.json, generation_config.json, model.safetensors and the tokenizer into `folder`,
// which must not exist yet or be empty; whole or not at all. Throws UsageError that names what the
// model has and transformers have not, or if there are no such weights: a run that was imported
// packed has no latent weights, a full-precision one no codes.
ExportResult export_hf(const std::filesystem::path& run_dir,
                       const std::filesystem::path& folder,
                       ExportWeights weights);

}  // namespace bitlab
