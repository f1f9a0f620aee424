#include "experiments/hf_names.h"

#include <map>

#include "core/base/error.h"

namespace bitlab {

namespace {

const std::map<std::string, std::string>& outside_of_blocks() {
  static const std::map<std::string, std::string> names = {
      {"embedding.weight", "model.embed_tokens.weight"},
      {"final_norm.weight", "model.norm.weight"},
      {"head.weight", "lm_head.weight"}};
  return names;
}

const std::map<std::string, std::string>& inside_of_blocks() {
  static const std::map<std::string, std::string> names = {
      {"norm1", "input_layernorm"},
      {"attn.qkv.norm", "input_layernorm"},
      {"attn.wq", "self_attn.q_proj"},
      {"attn.wk", "self_attn.k_proj"},
      {"attn.wv", "self_attn.v_proj"},
      {"attn.sub_norm", "self_attn.attn_sub_norm"},
      {"attn.wo.norm", "self_attn.attn_sub_norm"},
      {"attn.wo", "self_attn.o_proj"},
      {"norm2", "post_attention_layernorm"},
      {"ffn.gate_up.norm", "post_attention_layernorm"},
      {"ffn.w_gate", "mlp.gate_proj"},
      {"ffn.w_up", "mlp.up_proj"},
      {"ffn.sub_norm", "mlp.ffn_sub_norm"},
      {"ffn.w_down.norm", "mlp.ffn_sub_norm"},
      {"ffn.w_down", "mlp.down_proj"}};
  return names;
}

// 1bitLLM's names of the same norms.
std::string of_1bitllm(const std::string& name) {
  if (name == "self_attn.attn_sub_norm") return "self_attn.inner_attn_ln";
  if (name == "mlp.ffn_sub_norm") return "mlp.ffn_layernorm";
  return name;
}

}  // namespace

std::string hf_name(const std::string& ours, const std::string& architecture) {
  if (const auto found = outside_of_blocks().find(ours); found != outside_of_blocks().end())
    return found->second;
  const std::string blocks = "blocks.", weight = ".weight";
  const std::size_t dot = ours.find('.', blocks.size());
  if (ours.starts_with(blocks) && ours.ends_with(weight) && dot != std::string::npos &&
      dot + 1 + weight.size() < ours.size()) {
    const std::string layer = ours.substr(blocks.size(), dot - blocks.size());
    const std::string part = ours.substr(dot + 1, ours.size() - weight.size() - dot - 1);
    if (const auto found = inside_of_blocks().find(part); found != inside_of_blocks().end())
      return "model.layers." + layer + "." +
             (architecture == "BitnetForCausalLM" ? of_1bitllm(found->second) : found->second) +
             weight;
  }
  throw Error("hf_name", "'" + ours + "' must have a counterpart in transformers, but has none");
}

}  // namespace bitlab
