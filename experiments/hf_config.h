#pragma once
// config.json of Hugging Face's transformers, for the models that the b1.58 family covers: llama,
// bitnet (2B4T), and 1bitLLM's BitnetForCausalLM.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "layers/models/bitnet.h"

namespace bitlab {

// How the weights of the blocks' linear layers are stored.
enum class HfWeights {
  Full,      // floats, used as they are
  Masters,   // floats that forward makes ternary (online quantisation)
  Multiply,  // 2-bit codes; weight_scale stands for mean|w|: AutoBitLinear, offline
  Divide,    // 2-bit codes; weight_scale stands for 1 / mean|w|: BitLinear
};

struct HfConfig {
  std::unique_ptr<BitnetConfig> model;  // vocab_size is set
  std::string architecture;             // "BitNetForCausalLM"
  HfWeights weights = HfWeights::Full;
  std::vector<std::int32_t> begin, end;  // tokens before a text, and those that each end one
  std::vector<std::string> unknown;      // keys with a value that nothing is known of
};

// Throws Error that names every key whose value these models do not have (rope_scaling,
// attention_bias, sliding windows ...), and if `path` is no such file.
HfConfig read_hf_config(const std::filesystem::path& path);

// What can be said of a model of ours in transformers' words.
struct HfForm {
  std::string architecture;  // LlamaForCausalLM, BitNetForCausalLM
  bool ternary = false;
};

// Throws UsageError that names every setting which has no counterpart there.
HfForm hf_form(const BitnetConfig& model);

// The text of config.json. `vocab_size` is the model's; dtype is "float32" or "bfloat16"; weights
// is Full of a full-precision model, else Masters or Multiply.
std::string hf_config_json(const BitnetConfig& model,
                           std::size_t vocab_size,
                           HfWeights weights,
                           const std::string& dtype,
                           const std::vector<std::int32_t>& begin,
                           const std::vector<std::int32_t>& end);

}  // namespace bitlab
