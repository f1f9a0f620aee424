#include "layers/models/bitnet.h"

#include <cmath>

#include "core/base/error.h"
#include "core/config/choice.h"
#include "layers/attention.h"
#include "layers/containers.h"
#include "layers/embedding.h"
#include "layers/feed_forward.h"
#include "layers/linear.h"
#include "layers/norms.h"
#include "layers/param_count.h"
#include "layers/recompute.h"

namespace bitlab {

BitnetConfig::BitnetConfig()
    : norm_settings(norm_layers().at(norm).make_config()),
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
  v.field("attention", attention, {.help = "kind of attention", .choices = {"standard"}});
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
  v.require((d_head ? d_head : d_model / n_head) % 2 == 0, d_head ? "d_head" : "n_head",
            "must give heads of an even width for rotary positions", "try a d_head such as 64");
  v.require(n_kv_head == 0 || n_head % n_kv_head == 0, "n_kv_head",
            "must divide n_head = " + std::to_string(n_head), "0 stands for n_head");
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
    rope_ = std::make_shared<const RopeTable>(size(c.seq_len), shape_.d_head, c.rope_base);
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

  LayerPtr attention(const std::string& block) const {
    const size_t queries = shape_.n_head * shape_.d_head, keys = shape_.n_kv_head * shape_.d_head;
    return std::make_unique<SelfAttention>(
        shape_, inputs("qkv", {{"wq", queries}, {"wk", keys}, {"wv", keys}}), output("wo", queries),
        "dropout/" + block + ".attn.scores", rope_);
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

  LayerPtr block(const std::string& name) const {
    auto block = std::make_unique<Sequential>();
    block->add("", residual("norm1", "attn", attention(name)));
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
                         with_commas(params),
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
  for (std::int64_t i = 0; i < config.n_layer; ++i) {
    const std::string name = "blocks." + std::to_string(i);
    net->add(name, builder.block(name));
  }
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
