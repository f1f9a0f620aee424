// The models among the examples.
#include "layers/examples.h"
#include "layers/models/wide_mlp.h"

namespace bitlab {

namespace {

using Examples = std::vector<LayerExample>;

void add_models(Examples& all) {
  const auto add = [&](const std::string& name, const std::function<void(GptConfig&)>& change,
                       const std::string& kind) {
    add_on_tokens(all, "gpt, " + kind + ", " + name, 7, [change, kind] {
      GptConfig config = small_gpt(kind);
      change(config);
      return build_gpt(config, 7);
    });
  };
  // BitLinear at lambda = 0 (to 1e-18) is an exact full-precision layer with a norm inside.
  for (const std::string kind : {"full", "bitlinear"}) {
    const auto fade = [kind](GptConfig& c) {
      if (kind == "bitlinear") bitlinear_settings(c).lambda_warmup_steps = std::int64_t{1} << 60;
    };
    add(
        "as in seed 2",
        [fade](GptConfig& c) {
          fade(c);
          c.attention_scale = "n_embd";
        },
        kind);
    add(
        "dropout",
        [fade](GptConfig& c) {
          fade(c);
          c.dropout = 0.3;
        },
        kind);
    add(
        "gelu, layernorm, tied",
        [fade](GptConfig& c) {
          fade(c);
          c.activation = "gelu";
          c.norm = "layernorm";
          c.tie_embeddings = c.qkv_bias = true;
          c.dropout = 0.2;
        },
        kind);
    add(
        "no biases",
        [fade](GptConfig& c) {
          fade(c);
          c.proj_bias = c.ffn_bias = c.head_bias = false;
          c.d_ff = 5;
        },
        kind);
  }
}

void small_mla(BitnetConfig& c) {
  c.n_kv_head = 0;
  set_attention(c, "mla");
  auto& settings = dynamic_cast<MlaConfig&>(*c.attention_settings);
  settings.kv_rank = 5;
  settings.d_rope = 2;
}

void add_bitnets(Examples& all) {
  const auto add = [&](
                       const std::string& name,
                       const std::function<void(BitnetConfig&)>& change = [](BitnetConfig&) {},
                       const std::string& linear = "full") {
    add_on_tokens(all, "bitnet, " + name, 7, [change, linear] {
      BitnetConfig config = small_bitnet(linear);
      if (linear == "bitlinear")
        bitlinear_settings(config).lambda_warmup_steps = std::int64_t{1} << 60;  // exact, see above
      change(config);
      return build_bitnet(config, 7);
    });
  };
  add("llama");
  add(
      "norms inside", [](BitnetConfig& c) { c.block_norm = false; }, "bitlinear");
  add(
      "2b4t",
      [](BitnetConfig& c) {
        bitlinear_settings(c).norm = "none";
        c.ffn = "relu2_glu";
        c.sub_norm = true;
        c.rope_base = 5e5;
        c.checkpoint = true;
      },
      "bitlinear");
  add(
      "seed 1",
      [](BitnetConfig& c) {
        bitlinear_settings(c).norm = "layernorm_nobias";
        c.norm = "layernorm_nobias";
        c.n_kv_head = 0;
        set_attention(c, "latent_scores");
        dynamic_cast<LatentScoresConfig&>(*c.attention_settings).d_latent = 2;
        c.d_head = 4;
        c.ffn = "relu2_glu";
        c.block_norm = c.share_inputs = c.tie_embeddings = false;
        c.head = "bitlinear";
        c.init = "kaiming_uniform";
      },
      "bitlinear");
  add("kevbuh", [](BitnetConfig& c) {
    c.norm = "centering";
    c.n_kv_head = 1;
    c.ffn = "relu2";
    c.share_inputs = c.tie_embeddings = false;
  });
  add("mla", small_mla);
  add(
      "mla, norms inside",
      [](BitnetConfig& c) {
        small_mla(c);
        dynamic_cast<MlaConfig&>(*c.attention_settings).q_rank = 6;
        c.block_norm = false;
      },
      "bitlinear");
  add("gelu, layernorm, wide heads", [](BitnetConfig& c) {
    c.norm = "layernorm";
    c.d_head = 6;
    c.ffn = "gelu";
    c.sub_norm = true;
  });
}

void add_berts(Examples& all) {
  const auto add = [&](const std::string& name, const std::function<void(BertConfig&)>& change) {
    add_on_tokens(all, "bert, " + name, 7, [change] {
      BertConfig config = small_bert("full");
      change(config);
      return build_bert(config, 7);
    });
  };
  const auto fade = [](BertConfig& c) {
    c.linear = "bitlinear";
    c.linear_settings = linear_layers().at(c.linear).make_config();
    bitlinear_settings(c).lambda_warmup_steps = std::int64_t{1} << 60;  // exact, see above
  };
  add("classifier", [](BertConfig&) {});
  add("dropout", [](BertConfig& c) { c.dropout = c.attention_dropout = c.head_dropout = 0.3; });
  add("distilbert, norms inside, recomputed", [fade](BertConfig& c) {
    fade(c);
    c.n_types = 0;
    c.pooler = "relu";
    c.checkpoint = true;
  });
  for (const char* activation : {"gelu", "relu"})
    add(std::string("masked tokens, ") + activation, [activation](BertConfig& c) {
      c.head = "masked-lm";
      c.activation = activation;
      c.n_layer = 1;  // and narrow: sums of many logits drown small slopes in rounding
      c.d_model = 4;
    });
  add_on_tokens(all, "wide_mlp", 7, [] {
    WideMlpConfig config;
    config.d_hidden = 9;
    config.labels = 3;
    config.init_std = 0.3;
    return build_wide_mlp(config, 7);
  });
  add("some ternary, relu, no head", [fade](BertConfig& c) {
    fade(c);
    c.head = "none";
    c.activation = "relu";
    c.ternary.include = {"attn.wq", "blocks.1.*"};
    c.ternary.exclude = {"w2"};
  });
}

}  // namespace

void add_model_examples(Examples& all) {
  add_models(all);
  add_bitnets(all);
  add_berts(all);
}

GptConfig small_gpt(const std::string& linear) {
  GptConfig config;
  config.n_layer = 2;
  config.n_head = 2;
  config.d_model = 8;
  config.seq_len = 5;
  config.init_std = 0.3;
  config.linear = linear;
  config.linear_settings = linear_layers().at(linear).make_config();
  return config;
}

BitLinearConfig& bitlinear_settings(GptConfig& config) {
  return dynamic_cast<BitLinearConfig&>(*config.linear_settings);
}

BitnetConfig small_bitnet(const std::string& linear) {
  BitnetConfig config;
  config.n_layer = 2;
  config.n_head = 4;
  config.n_kv_head = 2;
  config.d_model = 8;
  config.d_ff = 6;
  config.seq_len = 5;
  config.init_std = 0.3;
  config.linear = linear;
  config.linear_settings = linear_layers().at(linear).make_config();
  return config;
}

BitLinearConfig& bitlinear_settings(BitnetConfig& config) {
  return dynamic_cast<BitLinearConfig&>(*config.linear_settings);
}

BertConfig small_bert(const std::string& linear) {
  BertConfig config;
  config.n_layer = 2;
  config.n_head = 2;
  config.d_model = 8;
  config.d_ff = 6;
  config.seq_len = 5;
  config.n_types = 1;
  config.labels = 3;
  config.dropout = config.attention_dropout = config.head_dropout = 0;
  config.init_std = 0.3;
  config.linear = linear;
  config.linear_settings = linear_layers().at(linear).make_config();
  return config;
}

BitLinearConfig& bitlinear_settings(BertConfig& config) {
  return dynamic_cast<BitLinearConfig&>(*config.linear_settings);
}

}  // namespace bitlab
