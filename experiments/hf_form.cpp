// The part of hf_config.h that describes models of ours in transformers' words.
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "experiments/hf_config.h"
#include "layers/bitlinear_config.h"

namespace bitlab {

namespace {

std::int64_t head_width(const BitnetConfig& c) {
  return c.d_head ? c.d_head : c.d_model / c.n_head;
}

// Collects what has no counterpart.
class Refusals {
 public:
  void unless(bool holds, const std::string& must) {
    if (!holds) text_ += "\n  model." + must;
  }
  void throw_if_any() const {
    if (!text_.empty())
      throw UsageError("export",
                       "the model must be one that transformers have, but for that" + text_);
  }

 private:
  std::string text_;
};

void check_bitlinear(const BitnetConfig& c, const BitLinearConfig& b, Refusals& refuse) {
  refuse.unless(b.weight_quant == "absmean", "bitlinear.weight_quant must be absmean");
  refuse.unless(b.weight_eps == 1e-5, "bitlinear.weight_eps must be 1e-5");
  refuse.unless(b.act_quant == "int8", "bitlinear.act_quant must be int8");
  refuse.unless(b.act_eps == 1e-5, "bitlinear.act_eps must be 1e-5");
  refuse.unless(b.output_scale, "bitlinear.output_scale must be true");
  if (b.norm == "none")
    return refuse.unless(c.block_norm, "block_norm must be true where bitlinear.norm is none");
  // Norms inside are those of the block there: one a shared input, one a layer behind a sub-norm.
  refuse.unless(b.norm == "rmsnorm", "bitlinear.norm must be none or rmsnorm");
  refuse.unless(!c.block_norm && !c.sub_norm,
                "block_norm and sub_norm must be false where bitlinear.norm is rmsnorm");
  refuse.unless(c.share_inputs, "share_inputs must be true where bitlinear.norm is rmsnorm");
  refuse.unless(b.norm_eps == c.norm_eps, "bitlinear.norm_eps must equal model.norm_eps");
}

}  // namespace

HfForm hf_form(const BitnetConfig& c) {
  Refusals refuse;
  const auto* bitlinear = dynamic_cast<const BitLinearConfig*>(c.linear_settings.get());
  refuse.unless(c.attention == "standard", "attention must be standard");
  refuse.unless(c.norm == "rmsnorm", "norm must be rmsnorm");
  refuse.unless(c.ffn == "swiglu" || c.ffn == "relu2_glu", "ffn must be swiglu or relu2_glu");
  refuse.unless(c.head == "full", "head must be full");
  refuse.unless(c.linear == "full" || bitlinear != nullptr, "linear must be full or bitlinear");
  if (bitlinear != nullptr)
    check_bitlinear(c, *bitlinear, refuse);
  else
    refuse.unless(c.block_norm, "block_norm must be true where linear is full");
  const bool sub_norm = c.sub_norm || (bitlinear != nullptr && bitlinear->norm == "rmsnorm");
  refuse.unless(!sub_norm || c.n_head * head_width(c) == c.d_model,
                "d_head must be d_model / n_head where there is a norm before wo");
  refuse.throw_if_any();
  return {sub_norm ? "BitNetForCausalLM" : "LlamaForCausalLM", bitlinear != nullptr};
}

std::string hf_config_json(const BitnetConfig& c,
                           std::size_t vocab_size,
                           HfWeights weights,
                           const std::string& dtype,
                           const std::vector<std::int32_t>& begin,
                           const std::vector<std::int32_t>& end) {
  using nlohmann::ordered_json;
  const HfForm form = hf_form(c);
  ordered_json config = {
      {"architectures", {form.architecture}},
      {"model_type", form.architecture == "LlamaForCausalLM" ? "llama" : "bitnet"},
      {"hidden_size", c.d_model},
      {"intermediate_size", c.d_ff},
      {"num_hidden_layers", c.n_layer},
      {"num_attention_heads", c.n_head},
      {"num_key_value_heads", c.n_kv_head ? c.n_kv_head : c.n_head},
      {"head_dim", head_width(c)},
      {"vocab_size", vocab_size},
      {"max_position_embeddings", c.seq_len},
      {"hidden_act", c.ffn == "swiglu" ? "silu" : "relu2"},
      {"rms_norm_eps", c.norm_eps},
      {"rope_theta", c.rope_base},
      {"rope_scaling", nullptr},
      {"attention_bias", false},
      {"mlp_bias", false},
      {"tie_word_embeddings", c.tie_embeddings},
      {"initializer_range", c.init_std},
      {"bos_token_id", begin.empty() ? ordered_json() : ordered_json(begin.front())},
      {"eos_token_id", end.empty()       ? ordered_json()
                       : end.size() == 1 ? ordered_json(end.front())
                                         : ordered_json(end)},
      {"torch_dtype", dtype}};
  if (weights != HfWeights::Full)
    config["quantization_config"] = {
        {"quant_method", "bitnet"},
        {"linear_class", weights == HfWeights::Divide ? "bitlinear" : "autobitlinear"},
        {"quantization_mode", weights == HfWeights::Masters ? "online" : "offline"}};
  return config.dump(2) + "\n";
}

}  // namespace bitlab
