#include "layers/models/bitnet.h"

#include <cmath>

#include "core/base/error.h"
#include "core/base/format_count.h"
#include "core/config/choice.h"
#include "layers/attention.h"
#include "layers/containers.h"
#include "layers/embedding.h"
#include "layers/feed_forward.h"
#include "layers/latent_scores.h"
#include "layers/linear.h"
#include "layers/mla.h"
#include "layers/norms.h"
#include "layers/param_count.h"
#include "layers/recompute.h"

namespace bitlab {

void LatentScoresConfig::fields(FieldVisitor& v) {
  v.field("d_latent", d_latent, {.help = "width that scores are taken over", .min = 1});
}

void MlaConfig::fields(FieldVisitor& v) {
  v.field("kv_rank", kv_rank, {.help = "latent that keys and values are made of", .min = 1});
  v.field("q_rank", q_rank, {.help = "latent that queries are made of, 0 for none", .min = 0});
  v.field("d_rope", d_rope, {.help = "rotary part of queries and of the shared key", .min = 2});
  v.require(d_rope % 2 == 0, "d_rope", "must be even", "rotary positions turn pairs");
}

namespace {

std::unique_ptr<Configurable> settings_of_attention(const std::string& kind) {
  if (kind == "latent_scores") return std::make_unique<LatentScoresConfig>();
  if (kind == "mla") return std::make_unique<MlaConfig>();
  return no_settings();
}

}  // namespace

void set_attention(BitnetConfig& config, const std::string& kind) {
  config.attention = kind;
  config.attention_settings = settings_of_attention(kind);
}

BitnetConfig::BitnetConfig()
    : norm_settings(norm_layers().at(norm).make_config()),
      attention_settings(settings_of_attention(attention)),
      linear_settings(linear_layers().at(linear).make_config()) {}

void BitnetConfig::fields(FieldVisitor& v) {
  v.field("n_layer", n_layer, {.help = "blocks", .min = 1});
  v.field("n_head", n_head, {.help = "attention heads", .min = 1});
  v.field("n_kv_head", n_kv_head, {.help = "heads of keys and values, 0 for n_head", .min = 0});
  v.field("d_model", d_model, {.help = "width", .min = 1});
  v.field("d_head", d_head, {.help = "width of a head, 0 for d_model / n_head", .min = 0});
  v.field("d_ff", d_ff, {.help = "width inside the feed-forward part", .min = 1});
  v.field("seq_len", seq_len, {.help = "positions", .min = 1});
  v.field("vocab_size", vocab_size,
          {.help = "tokens that the model knows, 0 for the tokenizer's", .min = 0});
  choice_field(v, "norm", norm, norm_settings, norm_layers(), "norm of the blocks");
  v.field("norm_eps", norm_eps, {.help = "added to the variance", .min = 0});
  v.field("rope_base", rope_base, {.help = "base of the rotary angles", .min = 1});
  const std::string before = attention;
  v.field("attention", attention,
          {.help = "kind of attention", .choices = {"standard", "latent_scores", "mla"}});
  if (attention != before) set_attention(*this, attention);
  own_settings(v, attention, *attention_settings);
  v.field("ffn", ffn,
          {.help = "feed-forward part", .choices = {"swiglu", "relu2_glu", "relu2", "gelu"}});
  v.field("block_norm", block_norm, {.help = "norms before attention and feed-forward part"});
  v.field("sub_norm", sub_norm, {.help = "norms before wo and w_down"});
  v.field("share_inputs", share_inputs,
          {.help = "wq, wk, wv (w_gate, w_up) share one norm and one quantised input"});
  v.field("tie_embeddings", tie_embeddings, {.help = "the head reads the token embedding"});
  v.field("head", head, {.help = "linear layer of the head", .choices = {"full", "bitlinear"}});
  v.field("init", init,
          {.help = "how linear weights start", .choices = {"normal", "kaiming_uniform"}});
  v.field("init_std", init_std,
          {.help = "standard deviation of fresh normal weights and embeddings", .min = 0});
  choice_field(v, "linear", linear, linear_settings, linear_layers(),
               "kind of the blocks' linear layers");
  v.field("checkpoint", checkpoint,
          {.help = "blocks keep their input alone for backward: less memory, more time",
           .hashed = false});  // the same bits
  v.field("size_check", size_check,
          {.help = "parameters it may have, such as 680M..720M; empty for any number",
           .hashed = false});

  v.require(d_head > 0 || d_model % n_head == 0, "n_head",
            "must divide d_model = " + std::to_string(d_model),
            "or d_head must say how wide a head is");
  v.require(attention == "mla" || (d_head ? d_head : d_model / n_head) % 2 == 0,
            d_head ? "d_head" : "n_head", "must give heads of an even width for rotary positions",
            "try a d_head such as 64");
  v.require(n_kv_head == 0 || n_head % n_kv_head == 0, "n_kv_head",
            "must divide n_head = " + std::to_string(n_head), "0 stands for n_head");
  v.require(n_kv_head == 0 || attention != "mla", "n_kv_head", "must be 0 where attention = mla",
            "all heads share one latent there");
  v.require(head == "full" || linear == "bitlinear", "head",
            "must be full where linear = \"" + linear + "\"",
            "a BitLinear head takes the settings of the blocks' BitLinear");
  v.require(head == "full" || !tie_embeddings, "head", "must be full where tie_embeddings = true",
            "the embedding is not ternary");
}

namespace {

// Makes the parts of one block.
class BlockBuilder {
 public:
  explicit BlockBuilder(const BitnetConfig& c)
      : config_(c), width_(size(c.d_model)), hidden_(size(c.d_ff)) {
    shape_.n_head = size(c.n_head);
    shape_.n_kv_head = c.n_kv_head ? size(c.n_kv_head) : shape_.n_head;
    shape_.d_head = c.d_head ? size(c.d_head) : width_ / shape_.n_head;
    shape_.scale = 1 / std::sqrt(static_cast<double>(shape_.d_head));
    const size_t turned = c.attention == "mla" ? size(settings<MlaConfig>().d_rope) : shape_.d_head;
    rope_ = std::make_shared<const RopeTable>(size(c.seq_len), turned, c.rope_base);
  }

  static size_t size(std::int64_t n) { return static_cast<size_t>(n); }

  LayerPtr linear(const std::string& name, size_t in, std::vector<LinearShape::Part> parts) const {
    const LinearShape shape{name, in, std::move(parts), false, init()};
    return linear_layers().at(config_.linear).make(shape, *config_.linear_settings);
  }

  // Several weight matrices that read the same x.
  LayerPtr inputs(const std::string& name, std::vector<LinearShape::Part> parts) const {
    if (config_.share_inputs) return linear(name, width_, std::move(parts));
    std::vector<LayerPtr> layers;
    for (const LinearShape::Part& part : parts) layers.push_back(linear(part.name, width_, {part}));
    return std::make_unique<SideBySide>(std::move(layers));
  }

  // The last linear layer of a part, behind its sub-norm.
  LayerPtr output(const std::string& name, size_t in) const {
    LayerPtr last = linear(name, in, {{name, width_}});
    if (!config_.sub_norm) return last;
    auto path = std::make_unique<Sequential>();
    path->add("sub_norm", norm(in));
    path->add("", std::move(last));
    return path;
  }

  LayerPtr attention() const {
    if (config_.attention == "mla") return mla();
    const size_t queries = shape_.n_head * shape_.d_head, keys = shape_.n_kv_head * shape_.d_head;
    LayerPtr qkv = inputs("qkv", {{"wq", queries}, {"wk", keys}, {"wv", keys}});
    if (config_.attention == "standard")
      return std::make_unique<SelfAttention>(shape_, std::move(qkv), output("wo", queries), "",
                                             rope_);
    const size_t latent = size(settings<LatentScoresConfig>().d_latent);
    AttentionShape shape = shape_;
    shape.scale = 1 / std::sqrt(static_cast<double>(latent));
    return std::make_unique<LatentScores>(
        shape, latent, std::move(qkv), linear("latent_q", shape_.d_head, {{"latent_q", latent}}),
        linear("latent_k", shape_.d_head, {{"latent_k", latent}}), output("wo", queries), rope_);
  }

  // The latents have norms where blocks have.
  LayerPtr mla() const {
    const auto& s = settings<MlaConfig>();
    const MlaShape shape{shape_.n_head, shape_.d_head, size(s.d_rope), size(s.kv_rank),
                         size(s.q_rank)};
    const size_t heads = shape.n_head * shape.d_head, queries = heads + shape.n_head * shape.d_rope;
    MlaParts parts;
    parts.in =
        inputs("in", {{shape.q_rank ? "q_down" : "wq", shape.q_rank ? shape.q_rank : queries},
                      {"kv_down", shape.kv_rank},
                      {"k_rope", shape.d_rope}});
    if (shape.q_rank) {
      if (config_.block_norm) parts.q_norm = norm(shape.q_rank);
      parts.q_up = linear("q_up", shape.q_rank, {{"q_up", queries}});
    }
    if (config_.block_norm) parts.kv_norm = norm(shape.kv_rank);
    parts.kv_up = linear("kv_up", shape.kv_rank, {{"k_up", heads}, {"v_up", heads}});
    parts.wo = output("wo", heads);
    return std::make_unique<Mla>(shape, std::move(parts), rope_);
  }

  LayerPtr feed_forward() const {
    if (config_.ffn == "relu2" || config_.ffn == "gelu")
      return std::make_unique<FeedForward>(inputs("w1", {{"w1", hidden_}}),
                                           parse_activation(config_.ffn), output("w2", hidden_));
    return std::make_unique<GatedFeedForward>(
        inputs("gate_up", {{"w_gate", hidden_}, {"w_up", hidden_}}),
        config_.ffn == "swiglu" ? Gate::Swiglu : Gate::Relu2, output("w_down", hidden_));
  }

  LayerPtr norm(size_t width) const {
    return norm_layers().at(config_.norm).make(width, config_.norm_eps, *config_.norm_settings);
  }

  // x + inner(norm(x))
  LayerPtr residual(const std::string& norm_name, const std::string& name, LayerPtr inner) const {
    auto path = std::make_unique<Sequential>();
    if (config_.block_norm) path->add(norm_name, norm(width_));
    path->add(name, std::move(inner));
    return std::make_unique<Residual>(std::move(path));
  }

  LayerPtr block() const {
    auto block = std::make_unique<Sequential>();
    block->add("", residual("norm1", "attn", attention()));
    block->add("", residual("norm2", "ffn", feed_forward()));
    if (config_.checkpoint) return std::make_unique<Recompute>(std::move(block));
    return block;
  }

  LayerPtr head(size_t vocab_size) const {
    if (config_.head == "bitlinear") return linear("head", width_, {{"head", vocab_size}});
    return std::make_unique<Linear>(
        LinearShape{"head", width_, {{"head", vocab_size}}, false, init()});
  }

 private:
  template <class Config>
  const Config& settings() const {
    return dynamic_cast<const Config&>(*config_.attention_settings);
  }

  Init init() const {
    if (config_.init == "kaiming_uniform") return {Init::Kind::KaimingUniform, 0};
    return {Init::Kind::Normal, config_.init_std};
  }

  const BitnetConfig& config_;
  size_t width_, hidden_;
  AttentionShape shape_;
  std::shared_ptr<const RopeTable> rope_;  // one for all blocks
};

void check_size(const std::string& range, Layer& net) {
  if (range.empty()) return;
  const SizeRange allowed = parse_size_range(range);
  const size_t params = count_params(net).total;
  const auto n = static_cast<double>(params);
  if (n < allowed.smallest || n > allowed.largest)
    throw UsageError("model.size_check",
                     "the model must have " + range + " parameters, but these settings give " +
                         format_count(static_cast<std::int64_t>(params)),
                     "model.size_check=\"\" builds it all the same");
}

}  // namespace

size_t bitnet_vocab_size(const BitnetConfig& config, size_t tokenizer_size) {
  const auto fixed = static_cast<size_t>(config.vocab_size);
  if (fixed > 0 && tokenizer_size > fixed)
    throw UsageError("model.vocab_size",
                     "must be at least the tokenizer's " + std::to_string(tokenizer_size) +
                         ", but is " + std::to_string(fixed),
                     "0 takes the tokenizer's");
  return fixed > 0 ? fixed : tokenizer_size;
}

LayerPtr build_bitnet(const BitnetConfig& config, size_t vocab_size) {
  const BlockBuilder builder(config);
  vocab_size = bitnet_vocab_size(config, vocab_size);
  auto net = std::make_unique<Sequential>();
  auto embedding = std::make_unique<TokenEmbedding>(vocab_size, BlockBuilder::size(config.d_model),
                                                    Init{Init::Kind::Normal, config.init_std});
  Param& token = embedding->token_param();
  net->add("embedding", std::move(embedding));
  for (std::int64_t i = 0; i < config.n_layer; ++i)
    net->add("blocks." + std::to_string(i), builder.block());
  net->add("", std::make_unique<LastPosition>());
  net->add("final_norm", builder.norm(BlockBuilder::size(config.d_model)));
  if (config.tie_embeddings)
    net->add("head", std::make_unique<TiedHead>(token, /*bias=*/false));
  else
    net->add("", builder.head(vocab_size));
  check_size(config.size_check, *net);
  return net;
}

}  // namespace bitlab
