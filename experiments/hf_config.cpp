#include "experiments/hf_config.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/json_nesting.h"
#include "experiments/key_reader.inc.h"
#include "layers/bitlinear_config.h"
#include "layers/linear.h"

namespace bitlab {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr const char* kOneBitLlm = "BitnetForCausalLM";

// Keys that say nothing about what a forward pass computes.
void ignore_harmless(KeyReader& keys) {
  keys.ignore({"_name_or_path", "architectures", "auto_map", "model_type", "torch_dtype", "dtype",
               "transformers_version", "use_cache", "initializer_range", "pad_token_id",
               "attention_dropout", "hidden_dropout", "pretraining_tp", "attn_implementation",
               "_attn_implementation", "max_window_layers", "chunk_size_feed_forward"});
}

std::vector<std::int32_t> token_list(const json* value) {
  if (value == nullptr) return {};
  if (value->is_array()) return value->get<std::vector<std::int32_t>>();
  return {value->get<std::int32_t>()};
}

// rope_theta, which newer versions keep in rope_parameters.
double read_rope(KeyReader& keys, double usual) {
  double base = keys.get("rope_theta", usual);
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const json* value = keys.find(key);
    if (value == nullptr) continue;
    KeyReader rope(*value, std::string(key) + ".");
    const auto type = rope.get("rope_type", rope.get<std::string>("type", "default"));
    base = rope.get("rope_theta", base);
    if (type != "default" || !rope.unknown().empty() || !rope.problems().empty())
      keys.refuse(key, "absent or of type default (scaled positions are not supported)");
  }
  keys.refuse_unless("partial_rotary_factor", 1.0, "1");
  return base;
}

void read_sizes(KeyReader& keys, BitnetConfig& c, bool bitnet) {
  c.n_layer = keys.need("num_hidden_layers", 4096);
  c.n_head = keys.need("num_attention_heads");
  c.n_kv_head = keys.whole("num_key_value_heads", c.n_head);
  c.d_model = keys.need("hidden_size");
  c.d_head = keys.whole("head_dim", 0);
  c.d_ff = keys.need("intermediate_size");
  c.vocab_size = keys.need("vocab_size");
  c.seq_len = keys.whole("max_position_embeddings", 2048);
  // What is absent is what transformers' classes have.
  c.norm_eps = keys.get("rms_norm_eps", bitnet ? 1e-5 : 1e-6);
  c.rope_base = read_rope(keys, bitnet ? 5e5 : 1e4);
  c.tie_embeddings = keys.get("tie_word_embeddings", false);
  if (c.d_head == 0 && c.d_model % c.n_head != 0)
    keys.refuse("num_attention_heads", "a divisor of hidden_size");
  else if ((c.d_head ? c.d_head : c.d_model / c.n_head) % 2 != 0)
    keys.refuse(c.d_head ? "head_dim" : "num_attention_heads",
                "such that heads have an even width");
  if (c.n_head % c.n_kv_head != 0)
    keys.refuse("num_key_value_heads", "a divisor of num_attention_heads");
}

void read_activation(KeyReader& keys, BitnetConfig& c, bool bitnet) {
  const auto act = keys.get<std::string>("hidden_act", bitnet ? "relu2" : "silu");
  if (act == "silu" || act == "swish")
    c.ffn = "swiglu";
  else if (act == "relu2")
    c.ffn = "relu2_glu";
  else
    keys.refuse("hidden_act", "silu or relu2");
}

void refuse_other_arithmetic(KeyReader& keys) {
  keys.refuse_unless("attention_bias", false, "false (linear layers have no biases)");
  keys.refuse_unless("mlp_bias", false, "false (linear layers have no biases)");
  keys.refuse_unless("bias", false, "false (linear layers have no biases)");
  keys.refuse_unless("use_sliding_window", false, "false (attention sees the whole context)");
  const bool off = keys.find("use_sliding_window") != nullptr;  // false: sliding_window is not used
  if (!off)
    keys.refuse_unless("sliding_window", nullptr, "null (attention sees the whole context)");
  keys.find("sliding_window");
  keys.refuse_unless("attn_logit_softcapping", nullptr, "null");
  keys.refuse_unless("final_logit_softcapping", nullptr, "null");
  keys.refuse_unless("num_local_experts", nullptr, "absent (there are no experts)");
}

// linear_class and quantization_mode, or the flags that older versions had instead.
HfWeights read_quantization(KeyReader& keys, std::string& problems) {
  const json* value = keys.find("quantization_config");
  if (value == nullptr) return HfWeights::Full;
  KeyReader quant(*value, "quantization_config.");
  if (quant.get<std::string>("quant_method", "") != "bitnet")
    quant.refuse("quant_method", "bitnet");
  const bool online_flag = quant.get("online_quantization", false);
  const bool offline_flag = quant.get("offline_quantization", false);
  const auto linear_class = quant.get<std::string>(
      "linear_class", online_flag || offline_flag ? "autobitlinear" : "bitlinear");
  const auto mode = quant.get<std::string>("quantization_mode", online_flag ? "online" : "offline");
  quant.refuse_unless("use_rms_norm", false, "false (norms inside of linear layers)");
  quant.ignore({"rms_norm_eps", "modules_to_not_convert"});
  if (linear_class != "bitlinear" && linear_class != "autobitlinear")
    quant.refuse("linear_class", "bitlinear or autobitlinear");
  if (mode != "online" && mode != "offline") quant.refuse("quantization_mode", "online or offline");
  if (linear_class == "bitlinear" && mode == "online")
    quant.refuse("quantization_mode", "offline where linear_class is bitlinear");
  for (const std::string& key : quant.unknown()) quant.refuse(key, "absent (it is not known)");
  problems += quant.problems();
  if (mode == "online") return HfWeights::Masters;
  return linear_class == "autobitlinear" ? HfWeights::Multiply : HfWeights::Divide;
}

// 1bitLLM's models say with two numbers what others say with quantization_config.
HfWeights read_1bitllm(KeyReader& keys) {
  if (keys.whole("weight_bits", 1) != 1) keys.refuse("weight_bits", "1 (ternary)");
  if (keys.whole("input_bits", 8) != 8) keys.refuse("input_bits", "8");
  return HfWeights::Masters;
}

void make_ternary(BitnetConfig& c) {
  c.linear = "bitlinear";
  c.linear_settings = linear_layers().at(c.linear).make_config();
  dynamic_cast<BitLinearConfig&>(*c.linear_settings).norm = "none";  // the block has one
}

std::string architecture_of(const json& config, const fs::path& path) {
  const json names = config.value("architectures", json::array());
  const std::string found = names.is_array() && names.size() == 1 && names[0].is_string()
                                ? names[0].get<std::string>()
                                : names.dump();
  for (const char* known : {"LlamaForCausalLM", "BitNetForCausalLM", kOneBitLlm})
    if (found == known) return found;
  throw Error(path.string(),
              "architectures must be one of LlamaForCausalLM, BitNetForCausalLM (2B4T), "
              "BitnetForCausalLM (1bitLLM), but is " +
                  found);
}

HfConfig parse(const json& config, const fs::path& path) {
  HfConfig result;
  result.architecture = architecture_of(config, path);
  result.model = std::make_unique<BitnetConfig>();
  BitnetConfig& c = *result.model;
  const bool one_bit_llm = result.architecture == kOneBitLlm;
  c.sub_norm = result.architecture != "LlamaForCausalLM";
  KeyReader keys(config, "");
  std::string problems;
  const bool bitnet = result.architecture == "BitNetForCausalLM";
  read_sizes(keys, c, bitnet);
  read_activation(keys, c, bitnet);
  refuse_other_arithmetic(keys);
  result.weights = one_bit_llm ? read_1bitllm(keys) : read_quantization(keys, problems);
  if (result.weights != HfWeights::Full) make_ternary(c);
  result.begin = token_list(keys.find("bos_token_id"));
  result.end = token_list(keys.find("eos_token_id"));
  ignore_harmless(keys);
  result.unknown = keys.unknown();
  problems += keys.problems();
  if (!problems.empty())
    throw Error(path.string(), "must describe a model that bitlab can build, but:" + problems);
  return result;
}

}  // namespace

HfConfig read_hf_config(const fs::path& path) {
  try {
    const json config = json::parse(shallow_json(read_file(path), path.string()));
    if (!config.is_object()) throw Error(path.string(), "must be a JSON object");
    return parse(config, path);
  } catch (const json::exception& e) {
    throw Error(path.string(),
                std::string("must be a config.json of transformers, but ") + e.what());
  }
}

}  // namespace bitlab
