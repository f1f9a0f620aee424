#include "layers/examples.h"

#include "layers/activation.h"
#include "layers/attention.h"
#include "layers/bitlinear.h"
#include "layers/block_output.h"
#include "layers/containers.h"
#include "layers/dropout.h"
#include "layers/embedding.h"
#include "layers/feed_forward.h"
#include "layers/in_place_ternary.h"
#include "layers/latent_scores.h"
#include "layers/mla.h"
#include "layers/norms.h"
#include "layers/picked_rows.h"
#include "layers/pooler.h"
#include "layers/recompute.h"
#include "layers/token_counts.h"

namespace bitlab {

namespace {

using Examples = std::vector<LayerExample>;

const Init kNormal{Init::Kind::Normal, 0.5};

LayerPtr linear(const std::string& name,
                size_t in,
                std::vector<LinearShape::Part> parts,
                bool bias) {
  return std::make_unique<Linear>(LinearShape{name, in, std::move(parts), bias, kNormal});
}

void add_leaves(Examples& all) {
  add_exact(all, "Linear", 5, [] { return linear("", 5, {{"w", 7}}, true); });
  add_exact(all, "Linear, no bias", 3, [] { return linear("", 3, {{"w", 4}}, false); });
  add_exact(all, "Linear, three parts", 6, [] {
    return linear("", 6, {{"a", 2}, {"b", 3}, {"c", 1}}, true);
  });
  add_exact(all, "InPlaceTernary", 6, [] {
    return std::make_unique<InPlaceTernary>(LinearShape{"", 6, {{"a", 2}, {"b", 3}}, true, kNormal},
                                            InPlaceTernaryConfig{});
  });
  all.back().kind = LayerExample::Kind::InPlace;
  add_exact(all, "RmsNorm", 9, [] { return std::make_unique<RmsNorm>(9, 1e-5); });
  add_exact(all, "RmsNorm, large eps", 4, [] { return std::make_unique<RmsNorm>(4, 0.7); });
  add_exact(all, "LayerNorm", 9, [] { return std::make_unique<LayerNorm>(9, 1e-5); });
  add_exact(all, "LayerNorm, large eps", 4, [] { return std::make_unique<LayerNorm>(4, 0.7); });
  add_exact(all, "LayerNorm, no bias", 9,
            [] { return std::make_unique<LayerNorm>(9, 1e-5, false); });
  add_exact(all, "Centering", 9, [] { return std::make_unique<Centering>(9); });
  add_exact(all, "Dropout", 6, [] { return std::make_unique<Dropout>(0.4, "dropout/x"); });
  add_exact(all, "Dropout, none", 6, [] { return std::make_unique<Dropout>(0, "dropout/x"); });
  add_exact(all, "BlockOutput", 6, [] { return std::make_unique<BlockOutput>(0); });
  add_on_tokens(all, "Embedding", 6, [] { return std::make_unique<Embedding>(6, 5, 4, kNormal); });
  add_on_tokens(all, "Embedding, types", 6,
                [] { return std::make_unique<Embedding>(6, 5, 4, kNormal, 1); });
  for (const PoolerActivation activation : {PoolerActivation::Tanh, PoolerActivation::Relu})
    add_exact(all, activation == PoolerActivation::Tanh ? "Pooler, tanh" : "Pooler, ReLU", 5,
              [activation] {
                return std::make_unique<Pooler>(linear("", 5, {{"w", 4}}, true), activation);
              });
  add_exact(all, "PickedRows", 5, [] {
    return std::make_unique<PickedRows>(linear("", 5, {{"w", 4}}, true), 0.15);
  });
  add_exact(all, "ActivationLayer, GELU", 5,
            [] { return std::make_unique<ActivationLayer>(Activation::Gelu); });
  add_exact(all, "ActivationLayer, ReLU", 5,
            [] { return std::make_unique<ActivationLayer>(Activation::Relu); });
  add_on_tokens(all, "TokenCounts", 6, [] {
    auto net = std::make_unique<Sequential>();
    net->add("counts", std::make_unique<TokenCounts>(6));
    net->add("", linear("", 6, {{"w", 3}}, true));
    return net;
  });
  add_on_tokens(all, "TokenEmbedding", 6,
                [] { return std::make_unique<TokenEmbedding>(6, 4, kNormal); });
  for (const bool bias : {true, false})
    add_on_tokens(all, bias ? "TiedHead" : "TiedHead, no bias", 6, [bias] {
      auto net = std::make_unique<Sequential>();
      auto embedding = std::make_unique<Embedding>(6, 5, 4, kNormal);
      Param& token = embedding->token_param();
      net->add("embedding", std::move(embedding));
      net->add("norm", std::make_unique<RmsNorm>(4, 1e-5));
      net->add("head", std::make_unique<TiedHead>(token, bias));
      return net;
    });
}

void add_attention(Examples& all,
                   const std::string& name,
                   const AttentionShape& shape,
                   const std::shared_ptr<const RopeTable>& rope = nullptr) {
  add_exact(all, name, 6, [shape, rope] {
    const size_t queries = shape.n_head * shape.d_head, keys = shape.n_kv_head * shape.d_head;
    return std::make_unique<SelfAttention>(
        shape, linear("qkv", 6, {{"wq", queries}, {"wk", keys}, {"wv", keys}}, true),
        linear("wo", queries, {{"wo", 6}}, true), "dropout/scores", rope);
  });
}

void add_composites(Examples& all) {
  add_attention(all, "SelfAttention", {2, 2, 3, 0.6, true, 0});
  add_attention(all, "SelfAttention, shared keys", {4, 2, 2, 0.7, true, 0});
  add_attention(all, "SelfAttention, both ways", {2, 1, 3, 0.5, false, 0});
  add_attention(all, "SelfAttention, dropout", {2, 2, 4, 0.5, true, 0.3});
  add_attention(all, "SelfAttention, rotary", {2, 2, 4, 0.6, true, 0},
                std::make_shared<const RopeTable>(5, 4, 100));
  add_attention(all, "SelfAttention, rotary, shared keys", {4, 1, 2, 0.7, true, 0.2},
                std::make_shared<const RopeTable>(5, 2, 1e4));
  for (const size_t kv_heads : {4, 2})
    add_exact(all, kv_heads == 4 ? "LatentScores" : "LatentScores, shared keys", 6, [kv_heads] {
      return std::make_unique<LatentScores>(
          AttentionShape{4, kv_heads, 4, 0.8, true, 0}, 3,
          linear("qkv", 6, {{"wq", 16}, {"wk", 4 * kv_heads}, {"wv", 4 * kv_heads}}, true),
          linear("latent_q", 4, {{"latent_q", 3}}, false),
          linear("latent_k", 4, {{"latent_k", 3}}, false), linear("wo", 16, {{"wo", 6}}, true),
          std::make_shared<const RopeTable>(5, 4, 100));
    });
  for (const size_t q_rank : {0, 5})
    add_exact(all, q_rank ? "Mla, query latent" : "Mla", 6, [q_rank] {
      MlaParts parts;
      parts.in =
          linear("in", 6, {{"q", q_rank ? q_rank : 10}, {"kv_down", 3}, {"k_rope", 2}}, true);
      if (q_rank) {
        parts.q_norm = std::make_unique<RmsNorm>(q_rank, 1e-5);
        parts.q_up = linear("q_up", q_rank, {{"q_up", 10}}, false);
        parts.kv_norm = std::make_unique<RmsNorm>(3, 1e-5);
      }
      parts.kv_up = linear("kv_up", 3, {{"k_up", 6}, {"v_up", 6}}, false);
      parts.wo = linear("wo", 6, {{"wo", 6}}, true);
      return std::make_unique<Mla>(MlaShape{2, 3, 2, 3, q_rank}, std::move(parts),
                                   std::make_shared<const RopeTable>(5, 2, 100));
    });
  for (const char* activation : {"relu", "relu2", "gelu"})
    add_exact(all, std::string("FeedForward, ") + activation, 4, [activation] {
      return std::make_unique<FeedForward>(linear("w1", 4, {{"w1", 9}}, true),
                                           parse_activation(activation),
                                           linear("w2", 9, {{"w2", 4}}, true));
    });
  for (const Gate gate : {Gate::Swiglu, Gate::Relu2})
    add_exact(all, gate == Gate::Swiglu ? "GatedFeedForward, swiglu" : "GatedFeedForward, relu2", 4,
              [gate] {
                return std::make_unique<GatedFeedForward>(
                    linear("gate_up", 4, {{"w_gate", 9}, {"w_up", 9}}, true), gate,
                    linear("w_down", 9, {{"w_down", 4}}, true));
              });
  add_exact(all, "LastPosition", 4, [] { return std::make_unique<LastPosition>(); });
  add_exact(all, "SideBySide", 4, [] {
    std::vector<LayerPtr> parts;
    parts.push_back(linear("a", 4, {{"a", 3}}, true));
    auto path = std::make_unique<Sequential>();
    path->add("norm", std::make_unique<RmsNorm>(4, 1e-5));
    path->add("", linear("b", 4, {{"b", 2}}, false));
    parts.push_back(std::move(path));
    parts.push_back(linear("c", 4, {{"c", 1}}, true));
    return std::make_unique<SideBySide>(std::move(parts));
  });
  add_exact(all, "Sequential", 4, [] {
    auto net = std::make_unique<Sequential>();
    net->add("first", linear("", 4, {{"w", 5}}, true));
    net->add("norm", std::make_unique<LayerNorm>(5, 1e-5));
    net->add("last", linear("", 5, {{"w", 3}}, false));
    return net;
  });
  add_exact(all, "Sequential, empty", 4, [] { return std::make_unique<Sequential>(); });
  const auto residual = [](LayerPtr inner) { return std::make_unique<Residual>(std::move(inner)); };
  add_exact(all, "Residual", 4, [residual] { return residual(linear("", 4, {{"w", 4}}, true)); });
  add_exact(all, "Residual, norm", 4,
            [residual] { return residual(std::make_unique<RmsNorm>(4, 1e-5)); });
  add_exact(all, "Residual, identity", 4,
            [residual] { return residual(std::make_unique<Sequential>()); });
  add_exact(all, "Residual, twice", 4, [residual] {
    auto net = std::make_unique<Sequential>();
    net->add("a", residual(linear("", 4, {{"w", 4}}, true)));
    net->add("b", residual(residual(std::make_unique<RmsNorm>(4, 1e-5))));
    return net;
  });
}

// What is recomputed keeps its width, widens, narrows, draws masks, reads tokens, or does nothing.
void add_recomputes(Examples& all) {
  const auto again = [](LayerPtr inner) { return std::make_unique<Recompute>(std::move(inner)); };
  add_exact(all, "Recompute", 4, [again] { return again(linear("", 4, {{"w", 7}}, true)); });
  add_exact(all, "Recompute, narrower", 6, [again] {
    return again(linear("", 6, {{"w", 2}}, false));
  });
  add_exact(all, "Recompute, identity", 4,
            [again] { return again(std::make_unique<Sequential>()); });
  add_exact(all, "Recompute, blocks with dropout", 4, [again] {
    auto net = std::make_unique<Sequential>();
    for (const std::string name : {"a", "b"}) {
      auto path = std::make_unique<Sequential>();
      path->add("norm", std::make_unique<RmsNorm>(4, 1e-5));
      path->add("w", linear("", 4, {{"w", 4}}, true));
      path->add("", std::make_unique<Dropout>(0.4, "dropout/" + name));
      net->add(name, again(std::make_unique<Residual>(std::move(path))));
    }
    return net;
  });
  add_on_tokens(all, "Recompute, embedding", 6,
                [again] { return again(std::make_unique<Embedding>(6, 5, 4, kNormal)); });
}

void add_bitlinear(Examples& all,
                   const std::string& name,
                   bool bias,
                   const BitLinearConfig& config) {
  LayerExample example;
  example.name = "BitLinear, " + name;
  example.kind = LayerExample::Kind::StraightThrough;
  example.in = 10;
  example.shape = {"qkv", 10, {{"wq", 4}, {"wk", 3}}, bias, kNormal};
  example.config = config;
  example.make = [shape = example.shape, config] {
    return std::make_unique<BitLinear>(shape, config);
  };
  all.push_back(std::move(example));
}

void add_bitlinears(Examples& all) {
  for (const char* norm : {"none", "rmsnorm", "layernorm", "layernorm_nobias"})
    for (const char* act_quant : {"int8", "none"})
      for (const char* weight_quant : {"absmean", "absmedian", "twn", "binary"}) {
        BitLinearConfig config;
        config.norm = norm;
        config.act_quant = act_quant;
        config.weight_quant = weight_quant;
        const bool bias = config.norm != "rmsnorm";
        const std::string name = config.weight_quant + ", " + act_quant + ", norm " + norm;
        add_bitlinear(all, name, bias, config);
        config.lambda_warmup_steps = 10;  // the examples run at step 3
        add_bitlinear(all, name + ", fading in", bias, config);
      }
  BitLinearConfig config;
  for (const bool fading : {false, true}) {
    config.lambda_warmup_steps = fading ? 10 : 0;
    for (const bool scaled : {true, false}) {
      config.output_scale = scaled;
      config.straight_through = "clipped";
      const std::string rest =
          std::string(scaled ? "" : ", no scale") + (fading ? ", fading in" : "");
      add_bitlinear(all, "clipped" + rest, true, config);
      config.straight_through = "identity";
      if (!scaled) add_bitlinear(all, "identity" + rest, true, config);
    }
  }
}

}  // namespace

void add_exact(Examples& all, const std::string& name, size_t in, std::function<LayerPtr()> make) {
  LayerExample example;
  example.name = name;
  example.in = in;
  example.make = std::move(make);
  all.push_back(std::move(example));
}

void add_on_tokens(Examples& all,
                   const std::string& name,
                   size_t vocab,
                   std::function<LayerPtr()> make) {
  add_exact(all, name, 0, std::move(make));
  all.back().vocab = vocab;
}

const std::vector<LayerExample>& layer_examples() {
  static const Examples examples = [] {
    Examples all;
    add_leaves(all);
    add_composites(all);
    add_recomputes(all);
    add_bitlinears(all);
    add_model_examples(all);
    return all;
  }();
  return examples;
}

}  // namespace bitlab
