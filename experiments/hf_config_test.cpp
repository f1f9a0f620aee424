// config.json: what is read, and what is refused by its name.
#include "experiments/hf_config.h"

#include <nlohmann/json.hpp>

#include "core/text/tokenizer_test.h"
#include "experiments/foreign_model.h"
#include "experiments/hf_names.h"
#include "experiments/model_test.h"
#include "layers/bitlinear_config.h"

namespace bitlab {
namespace {

using nlohmann::json;

json llama() {
  return {{"architectures", {"LlamaForCausalLM"}},
          {"model_type", "llama"},
          {"hidden_size", 64},
          {"intermediate_size", 172},
          {"num_hidden_layers", 5},
          {"num_attention_heads", 8},
          {"vocab_size", 512}};
}

HfConfig read(const json& config) {
  const TestFolder folder;
  write_file_atomic(folder / "config.json", config.dump());
  return read_hf_config(folder / "config.json");
}

// What a config is refused for when it has these keys as well.
std::string refusal(const json& more) {
  json config = llama();
  config.update(more);
  return error_of([&] { read(config); });
}

json quantized(const json& quantization) { return {{"quantization_config", quantization}}; }

}  // namespace

TEST_CASE("what config.json leaves out is what transformers take", "[hf_config]") {
  const HfConfig c = read(llama());
  CHECK(c.weights == HfWeights::Full);
  CHECK(c.model->n_kv_head == 8);
  CHECK(c.model->seq_len == 2048);
  CHECK(c.model->norm_eps == 1e-6);
  CHECK(c.model->rope_base == 1e4);
  CHECK(c.model->ffn == "swiglu");
  CHECK_FALSE(c.model->tie_embeddings);
  CHECK_FALSE(c.model->sub_norm);
  CHECK(c.begin.empty());
  CHECK(c.unknown.empty());

  json bitnet = llama();
  bitnet["architectures"] = {"BitNetForCausalLM"};
  const HfConfig b = read(bitnet);
  CHECK(b.model->norm_eps == 1e-5);
  CHECK(b.model->rope_base == 5e5);
  CHECK(b.model->ffn == "relu2_glu");
  CHECK(b.model->sub_norm);
  CHECK(b.model->linear == "full");  // nothing says that it is quantised
}

TEST_CASE("the published 2B4T is read whole", "[hf_config]") {
  const auto path = mirror_file("golden/bitnet-b1.58-2B-4T.config.json");
  if (path.empty()) return;
  const HfConfig c = read_hf_config(path);
  CHECK(c.architecture == "BitNetForCausalLM");
  CHECK(c.weights == HfWeights::Masters);
  CHECK(c.unknown.empty());
  CHECK(c.begin == std::vector<std::int32_t>{128000});
  CHECK(c.end == std::vector<std::int32_t>{128001});
  CHECK(dynamic_cast<const BitLinearConfig&>(*c.model->linear_settings).norm == "none");
  std::size_t params = 0, ternary = 0;
  for (const ExpectedParam& p :
       expected_params("bitnet", *c.model, static_cast<std::size_t>(c.model->vocab_size))) {
    params += p.rows * p.cols;
    ternary += p.ternary ? p.rows * p.cols : 0;
    CHECK_NOTHROW(hf_name(p.name, c.architecture));
  }
  CHECK(params == 2412820480);
  CHECK(ternary == 2084044800);
}

TEST_CASE("both meanings of weight_scale and the older flags are told apart", "[hf_config]") {
  const auto weights = [](const json& quantization) {
    json config = llama();
    config["quantization_config"] = quantization;
    config["quantization_config"]["quant_method"] = "bitnet";
    return read(config).weights;
  };
  CHECK(weights(json::object()) == HfWeights::Divide);
  CHECK(weights({{"linear_class", "bitlinear"}}) == HfWeights::Divide);
  CHECK(weights({{"linear_class", "bitlinear"}, {"quantization_mode", "offline"}}) ==
        HfWeights::Divide);
  CHECK(weights({{"linear_class", "autobitlinear"}}) == HfWeights::Multiply);
  CHECK(weights({{"linear_class", "autobitlinear"}, {"quantization_mode", "offline"}}) ==
        HfWeights::Multiply);
  CHECK(weights({{"linear_class", "autobitlinear"}, {"quantization_mode", "online"}}) ==
        HfWeights::Masters);
  CHECK(weights({{"offline_quantization", true}}) == HfWeights::Multiply);
  CHECK(weights({{"online_quantization", true}}) == HfWeights::Masters);
}

TEST_CASE("values that the models do not have are refused by name", "[hf_config]") {
  CHECK(refusal(json::object()).empty());
  CHECK(refusal({{"rope_scaling", nullptr}, {"sliding_window", nullptr}, {"attention_bias", false}})
            .empty());
  CHECK(refusal({{"rope_parameters", {{"rope_type", "default"}, {"rope_theta", 5e5}}}}).empty());
  CHECK(refusal({{"use_sliding_window", false}, {"sliding_window", 4096}}).empty());

  CHECK(says(refusal({{"rope_scaling", {{"type", "linear"}, {"factor", 2.0}}}}), "rope_scaling"));
  CHECK(says(refusal({{"rope_scaling", {{"rope_type", "llama3"}, {"factor", 8.0}}}}),
             "rope_scaling"));
  CHECK(says(refusal({{"attention_bias", true}}), "attention_bias must be false"));
  CHECK(says(refusal({{"mlp_bias", true}}), "mlp_bias"));
  CHECK(says(refusal({{"sliding_window", 4096}}), "sliding_window"));
  CHECK(says(refusal({{"use_sliding_window", true}}), "use_sliding_window"));
  CHECK(says(refusal({{"hidden_act", "gelu"}}), "hidden_act must be silu or relu2"));
  CHECK(says(refusal({{"partial_rotary_factor", 0.5}}), "partial_rotary_factor"));
  CHECK(says(refusal({{"final_logit_softcapping", 30.0}}), "final_logit_softcapping"));
  CHECK(says(refusal({{"num_key_value_heads", 3}}), "num_key_value_heads"));
  CHECK(says(refusal({{"num_attention_heads", 7}}), "num_attention_heads"));
  CHECK(says(refusal({{"head_dim", 7}}), "head_dim"));
  CHECK(says(refusal({{"num_hidden_layers", 0}}), "num_hidden_layers"));
  CHECK(says(refusal({{"num_hidden_layers", 1 << 30}}), "num_hidden_layers"));
  CHECK(says(refusal({{"hidden_size", "64"}}), "hidden_size"));
  CHECK(says(refusal({{"hidden_size", nullptr}}), "hidden_size is missing"));
  CHECK(says(refusal({{"rms_norm_eps", "small"}}), "rms_norm_eps"));
  CHECK(says(refusal({{"architectures", {"MistralForCausalLM"}}}), "MistralForCausalLM"));
  CHECK(says(refusal({{"architectures", nullptr}}), "architectures"));

  CHECK(says(refusal(quantized({{"quant_method", "gptq"}})), "quant_method must be bitnet"));
  CHECK(says(refusal(quantized({{"quant_method", "bitnet"}, {"linear_class", "x"}})),
             "quantization_config.linear_class"));
  CHECK(says(refusal(quantized({{"quant_method", "bitnet"}, {"quantization_mode", "online"}})),
             "quantization_config.quantization_mode"));
  CHECK(says(refusal(quantized({{"quant_method", "bitnet"}, {"use_rms_norm", true}})),
             "quantization_config.use_rms_norm"));
  CHECK(says(refusal(quantized({{"quant_method", "bitnet"}, {"new_trick", 3}})),
             "quantization_config.new_trick"));
  // All of them at once.
  const std::string both = refusal({{"attention_bias", true}, {"sliding_window", 7}});
  CHECK(says(both, "attention_bias"));
  CHECK(says(both, "sliding_window"));
}

TEST_CASE("1bitLLM's numbers of bits are checked, and other keys are told", "[hf_config]") {
  json config = llama();
  config["architectures"] = {"BitnetForCausalLM"};
  CHECK(read(config).weights == HfWeights::Masters);
  CHECK(read(config).model->ffn == "swiglu");
  config["weight_bits"] = 2;
  CHECK(says(error_of([&] { read(config); }), "weight_bits must be 1"));
  config["weight_bits"] = 1;
  config["embedding_multiplier"] = 12.0;
  config["some_flag"] = false;
  CHECK(read(config).unknown == std::vector<std::string>{"embedding_multiplier"});
}

TEST_CASE("what is no config.json is refused", "[hf_config]") {
  const TestFolder folder;
  for (const char* text : {"", "[]", "{", "{}", R"({"architectures": "LlamaForCausalLM"})"}) {
    write_file_atomic(folder / "config.json", text);
    CHECK_FALSE(error_of([&] { read_hf_config(folder / "config.json"); }).empty());
  }
  CHECK_FALSE(error_of([&] { read_hf_config(folder / "none.json"); }).empty());
}

TEST_CASE("names are those of transformers", "[hf_config]") {
  const std::string bitnet = "BitNetForCausalLM", onebit = "BitnetForCausalLM";
  CHECK(hf_name("blocks.12.attn.wq.weight", bitnet) == "model.layers.12.self_attn.q_proj.weight");
  CHECK(hf_name("blocks.0.ffn.w_down.weight", bitnet) == "model.layers.0.mlp.down_proj.weight");
  CHECK(hf_name("blocks.0.attn.sub_norm.weight", bitnet) ==
        "model.layers.0.self_attn.attn_sub_norm.weight");
  CHECK(hf_name("blocks.0.attn.sub_norm.weight", onebit) ==
        "model.layers.0.self_attn.inner_attn_ln.weight");
  CHECK(hf_name("blocks.0.ffn.sub_norm.weight", onebit) ==
        "model.layers.0.mlp.ffn_layernorm.weight");
  CHECK(hf_name("head.weight", bitnet) == "lm_head.weight");
  for (const char* name : {"blocks.0.attn.wq.bias", "blocks..weight", "blocks.weight", "x", "",
                           "blocks.0.ffn.w1.weight", "blocks.0.weight"})
    CHECK_THROWS_AS(hf_name(name, bitnet), Error);
}

}  // namespace bitlab
