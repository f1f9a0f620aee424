#include "layers/models/gpt.h"

#include <cmath>

#include "core/config/choice.h"
#include "layers/attention.h"
#include "layers/containers.h"
#include "layers/dropout.h"
#include "layers/embedding.h"
#include "layers/feed_forward.h"
#include "layers/linear.h"
#include "layers/norms.h"

namespace bitlab {

GptConfig::GptConfig()
    : norm_settings(norm_layers().at(norm).make_config()),
      linear_settings(linear_layers().at(linear).make_config()) {}

void GptConfig::fields(FieldVisitor& v) {
  v.field("n_layer", n_layer, {.help = "blocks", .min = 1});
  v.field("n_head", n_head, {.help = "attention heads", .min = 1});
  v.field("d_model", d_model, {.help = "width", .min = 1});
  v.field("d_ff", d_ff, {.help = "width inside the feed-forward part, 0 for 4 d_model", .min = 0});
  v.field("seq_len", seq_len, {.help = "positions", .min = 1});
  choice_field(v, "norm", norm, norm_settings, norm_layers(), "norm of the blocks");
  v.field("norm_eps", norm_eps, {.help = "added to the variance", .min = 0});
  v.field("activation", activation,
          {.help = "of the feed-forward part", .choices = {"relu", "gelu"}});
  v.field("dropout", dropout,
          {.help = "of embeddings, attention and block outputs", .min = 0, .max = 0.99});
  v.field("tie_embeddings", tie_embeddings, {.help = "the head reads the token embedding"});
  v.field(
      "attention_scale", attention_scale,
      {.help = "scores are divided by the root of this width", .choices = {"head_dim", "n_embd"}});
  v.field("qkv_bias", qkv_bias, {.help = "biases of the query, key and value projections"});
  v.field("proj_bias", proj_bias, {.help = "bias of the attention output"});
  v.field("ffn_bias", ffn_bias, {.help = "biases of the feed-forward part"});
  v.field("head_bias", head_bias, {.help = "bias of the head"});
  v.field("init_std", init_std, {.help = "standard deviation of fresh weights", .min = 0});
  choice_field(v, "linear", linear, linear_settings, linear_layers(),
               "kind of the blocks' linear layers");
  v.require(d_model % n_head == 0, "n_head", "must divide d_model = " + std::to_string(d_model),
            "try a divisor such as " + std::to_string(d_model % 8 == 0 ? 8 : 1));
}

namespace {

// Makes the parts of one block.
class BlockBuilder {
 public:
  explicit BlockBuilder(const GptConfig& config)
      : config_(config),
        width_(static_cast<size_t>(config.d_model)),
        hidden_(static_cast<size_t>(config.d_ff ? config.d_ff : 4 * config.d_model)) {}

  LayerPtr linear(const std::string& name,
                  size_t in,
                  std::vector<LinearShape::Part> parts,
                  bool bias) const {
    const LinearShape shape{
        name, in, std::move(parts), bias, {Init::Kind::Normal, config_.init_std}};
    return linear_layers().at(config_.linear).make(shape, *config_.linear_settings);
  }

  LayerPtr attention(const std::string& block) const {
    AttentionShape shape;
    shape.n_head = shape.n_kv_head = static_cast<size_t>(config_.n_head);
    shape.d_head = width_ / shape.n_head;
    const size_t root = config_.attention_scale == "n_embd" ? width_ : shape.d_head;
    shape.scale = 1 / std::sqrt(static_cast<double>(root));
    shape.dropout = config_.dropout;
    return std::make_unique<SelfAttention>(
        shape,
        linear("qkv", width_, {{"wq", width_}, {"wk", width_}, {"wv", width_}}, config_.qkv_bias),
        linear("wo", width_, {{"wo", width_}}, config_.proj_bias),
        "dropout/" + block + ".attn.scores");
  }

  LayerPtr feed_forward() const {
    return std::make_unique<FeedForward>(linear("w1", width_, {{"w1", hidden_}}, config_.ffn_bias),
                                         parse_activation(config_.activation),
                                         linear("w2", hidden_, {{"w2", width_}}, config_.ffn_bias));
  }

  LayerPtr norm() const {
    return norm_layers().at(config_.norm).make(width_, config_.norm_eps, *config_.norm_settings);
  }

  // x + dropout(inner(norm(x)))
  LayerPtr residual(const std::string& norm_name,
                    const std::string& name,
                    LayerPtr inner,
                    const std::string& block) const {
    auto path = std::make_unique<Sequential>();
    path->add(norm_name, norm());
    path->add(name, std::move(inner));
    if (config_.dropout > 0)
      path->add("", std::make_unique<Dropout>(config_.dropout, "dropout/" + block + "." + name));
    return std::make_unique<Residual>(std::move(path));
  }

  LayerPtr block(const std::string& name) const {
    auto block = std::make_unique<Sequential>();
    block->add("", residual("norm1", "attn", attention(name), name));
    block->add("", residual("norm2", "ffn", feed_forward(), name));
    return block;
  }

 private:
  const GptConfig& config_;
  size_t width_, hidden_;
};

}  // namespace

LayerPtr build_gpt(const GptConfig& config, size_t vocab_size) {
  const auto width = static_cast<size_t>(config.d_model);
  const Init init{Init::Kind::Normal, config.init_std};
  const BlockBuilder builder(config);

  auto net = std::make_unique<Sequential>();
  auto embedding =
      std::make_unique<Embedding>(vocab_size, static_cast<size_t>(config.seq_len), width, init);
  Param& token = embedding->token_param();
  net->add("embedding", std::move(embedding));
  if (config.dropout > 0)
    net->add("", std::make_unique<Dropout>(config.dropout, "dropout/embedding"));
  for (std::int64_t i = 0; i < config.n_layer; ++i) {
    const std::string name = "blocks." + std::to_string(i);
    net->add(name, builder.block(name));
  }
  net->add("", std::make_unique<LastPosition>());
  net->add("final_norm", builder.norm());
  if (config.tie_embeddings)
    net->add("head", std::make_unique<TiedHead>(token, config.head_bias));
  else
    net->add("", std::make_unique<Linear>(
                     LinearShape{"head", width, {{"head", vocab_size}}, config.head_bias, init}));
  return net;
}

}  // namespace bitlab
