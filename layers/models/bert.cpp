#include "layers/models/bert.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/config/choice.h"
#include "layers/activation.h"
#include "layers/attention.h"
#include "layers/block_output.h"
#include "layers/containers.h"
#include "layers/dropout.h"
#include "layers/embedding.h"
#include "layers/feed_forward.h"
#include "layers/linear.h"
#include "layers/norms.h"
#include "layers/picked_rows.h"
#include "layers/pooler.h"
#include "layers/recompute.h"

namespace bitlab {

BertConfig::BertConfig() : linear_settings(linear_layers().at(linear).make_config()) {}

void BertConfig::fields(FieldVisitor& v) {
  v.field("n_layer", n_layer, {.help = "blocks", .min = 1});
  v.field("n_head", n_head, {.help = "attention heads", .min = 1});
  v.field("d_model", d_model, {.help = "width", .min = 1});
  v.field("d_ff", d_ff, {.help = "width inside the feed-forward part, 0 for 4 d_model", .min = 0});
  v.field("seq_len", seq_len, {.help = "positions: the most tokens of a text", .min = 1});
  v.field("vocab_size", vocab_size,
          {.help = "tokens that the model knows, 0 for the tokenizer's", .min = 0});
  v.field("n_types", n_types, {.help = "types of tokens, 0 for none", .min = 0});
  v.field("norm_eps", norm_eps, {.help = "added to the variance", .min = 0});
  v.field("activation", activation,
          {.help = "of the feed-forward part", .choices = {"gelu", "relu"}});
  v.field("dropout", dropout,
          {.help = "of embeddings and of what blocks add", .min = 0, .max = 0.99});
  v.field("attention_dropout", attention_dropout,
          {.help = "of attention's probabilities", .min = 0, .max = 0.99});
  v.field("head", head,
          {.help = "what comes out: logits of labels, of masked tokens, the pooler's vector, or "
                   "vectors of tokens",
           .choices = {"classifier", "masked-lm", "pooler", "none"}});
  v.field("pooler", pooler,
          {.help = "activation between pooler and classifier", .choices = {"tanh", "relu"}});
  v.field("head_dropout", head_dropout, {.help = "before the classifier", .min = 0, .max = 0.99});
  v.field("labels", labels, {.help = "that the classifier tells apart", .min = 2});
  v.field("init_std", init_std, {.help = "standard deviation of fresh weights", .min = 0});
  v.field("pretrained", pretrained,
          {.help = "checkpoint to begin with: minilm, distilbert, bert-tiny, a folder of "
                   "transformers or a run's; empty for random weights",
           .hashed = false});  // the hash of its weights enters the run id
  choice_field(v, "linear", linear, linear_settings, linear_layers(),
               "kind of the linear layers that model.ternary names");
  v.begin("ternary", "which linear layers are of the kind model.linear");
  ternary.fields(v);
  v.end();
  v.field("checkpoint", checkpoint,
          {.help = "blocks keep their input alone for backward: less memory, more time",
           .hashed = false});  // the same bits
  v.require(pretrained.empty() || vocab_size > 0, "vocab_size",
            "must be told where model.pretrained is", "BERT's uncased models have 30522");
  v.require(d_model % n_head == 0, "n_head", "must divide d_model = " + std::to_string(d_model),
            "try a divisor such as " + std::to_string(d_model % 8 == 0 ? 8 : 1));
}

namespace {

size_t size(std::int64_t n) { return static_cast<size_t>(n); }

class Builder {
 public:
  Builder(const BertConfig& config, size_t vocab_size)
      : config_(config),
        vocab_(bert_vocab_size(config, vocab_size)),
        width_(size(config.d_model)),
        hidden_(config.d_ff ? size(config.d_ff) : 4 * width_) {}

  LayerPtr net() const {
    auto net = std::make_unique<Sequential>();
    auto embedding = std::make_unique<Sequential>();
    auto table = std::make_unique<Embedding>(vocab_, size(config_.seq_len), width_, init(),
                                             size(config_.n_types));
    Param& token = table->token_param();
    embedding->add("", std::move(table));
    embedding->add("norm", norm());
    net->add("embedding", std::move(embedding));
    add_dropout(*net, config_.dropout, "embedding");
    for (std::int64_t i = 0; i < config_.n_layer; ++i) {
      const std::string name = "blocks." + std::to_string(i);
      LayerPtr made = block(name);
      net->add(name,
               config_.checkpoint ? std::make_unique<Recompute>(std::move(made)) : std::move(made));
      net->add("", std::make_unique<BlockOutput>(size(i)));
    }
    if (config_.head == "none") return net;
    if (config_.head == "masked-lm") {
      net->add("head", std::make_unique<PickedRows>(masked_head(token), kMaskedShare));
      return net;
    }
    net->add("", std::make_unique<Pooler>(
                     linear("", width_, {{"pooler", width_}}),
                     config_.pooler == "tanh" ? PoolerActivation::Tanh : PoolerActivation::Relu));
    if (config_.head == "pooler") return net;
    add_dropout(*net, config_.head_dropout, "pooler");
    net->add("", linear("", width_, {{"classifier", size(config_.labels)}}));
    return net;
  }

 private:
  Init init() const { return {Init::Kind::Normal, config_.init_std}; }
  LayerPtr norm() const { return std::make_unique<LayerNorm>(width_, config_.norm_eps); }

  static void add_dropout(Sequential& to, double probability, const std::string& name) {
    if (probability > 0) to.add("", std::make_unique<Dropout>(probability, "dropout/" + name));
  }

  LayerPtr of_kind(bool replaced, const LinearShape& shape) const {
    if (!replaced) return std::make_unique<Linear>(shape);
    return linear_layers().at(config_.linear).make(shape, *config_.linear_settings);
  }

  // Matrices that read the same x, called PREFIX.PART: one layer if all are of one kind. `shared`:
  // what the norm inside of such a layer is called after.
  LayerPtr linear(const std::string& prefix,
                  size_t in,
                  std::vector<LinearShape::Part> parts,
                  const std::string& shared = "") const {
    const auto replaced = [&](const LinearShape::Part& part) {
      return config_.ternary.replaces(join_name(prefix, part.name));
    };
    const auto count = static_cast<size_t>(std::count_if(parts.begin(), parts.end(), replaced));
    if (count == 0 || count == parts.size()) {
      const std::string name = parts.size() > 1 ? shared : parts.front().name;
      return of_kind(count > 0, {name, in, parts, true, init()});
    }
    std::vector<LayerPtr> each;
    for (const LinearShape::Part& part : parts)
      each.push_back(of_kind(replaced(part), {part.name, in, {part}, true, init()}));
    return std::make_unique<SideBySide>(std::move(each));
  }

  LayerPtr attention(const std::string& name) const {
    AttentionShape shape;
    shape.n_head = shape.n_kv_head = size(config_.n_head);
    shape.d_head = width_ / shape.n_head;
    shape.scale = 1 / std::sqrt(static_cast<double>(shape.d_head));
    shape.causal = false;
    shape.dropout = config_.attention_dropout;
    return std::make_unique<SelfAttention>(
        shape, linear(name, width_, {{"wq", width_}, {"wk", width_}, {"wv", width_}}, "qkv"),
        linear(name, width_, {{"wo", width_}}), "dropout/" + name + ".scores");
  }

  LayerPtr feed_forward(const std::string& name) const {
    return std::make_unique<FeedForward>(linear(name, width_, {{"w1", hidden_}}),
                                         parse_activation(config_.activation),
                                         linear(name, hidden_, {{"w2", width_}}));
  }

  // token^T norm(act(dense(x))) + bias
  LayerPtr masked_head(Param& token) const {
    auto head = std::make_unique<Sequential>();
    head->add("", linear("head", width_, {{"dense", width_}}));
    head->add("", std::make_unique<ActivationLayer>(parse_activation(config_.activation)));
    head->add("norm", norm());
    head->add("", std::make_unique<TiedHead>(token, true));
    return head;
  }

  // x + dropout(inner(x)), then the norm
  void add_part(Sequential& block,
                const std::string& part,
                LayerPtr inner,
                const std::string& name,
                const std::string& norm_name) const {
    auto path = std::make_unique<Sequential>();
    path->add(part, std::move(inner));
    add_dropout(*path, config_.dropout, name);
    block.add("", std::make_unique<Residual>(std::move(path)));
    block.add(norm_name, norm());
  }

  LayerPtr block(const std::string& name) const {
    auto block = std::make_unique<Sequential>();
    add_part(*block, "attn", attention(name + ".attn"), name + ".attn", "norm1");
    add_part(*block, "ffn", feed_forward(name + ".ffn"), name + ".ffn", "norm2");
    return block;
  }

  const BertConfig& config_;
  size_t vocab_, width_, hidden_;
};

}  // namespace

std::vector<std::string> bert_linear_names(const BertConfig& config) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < config.n_layer; ++i)
    for (const char* part : {"attn.wq", "attn.wk", "attn.wv", "attn.wo", "ffn.w1", "ffn.w2"})
      names.push_back("blocks." + std::to_string(i) + "." + part);
  if (config.head == "masked-lm") names.push_back("head.dense");
  if (config.head == "pooler" || config.head == "classifier") names.push_back("pooler");
  if (config.head == "classifier") names.push_back("classifier");
  return names;
}

size_t bert_vocab_size(const BertConfig& config, size_t tokenizer_size) {
  const size_t own = size(config.vocab_size);
  if (own == 0) return tokenizer_size;
  if (own < tokenizer_size)
    throw UsageError("model.vocab_size",
                     "must be at least the tokenizer's " + std::to_string(tokenizer_size) +
                         ", but is " + std::to_string(own),
                     "the vocabulary must be the one that the model was trained with");
  return own;
}

size_t bert_output_width(const BertConfig& config, size_t tokenizer_size) {
  if (config.head == "masked-lm") return bert_vocab_size(config, tokenizer_size);
  return size(config.head == "classifier" ? config.labels : config.d_model);
}

LayerPtr build_bert(const BertConfig& config, size_t vocab_size) {
  if (config.linear != "full") {
    std::vector<std::string> names = bert_linear_names(config);
    // What names a head that another arm has may stay.
    if (config.head != "classifier") names.push_back("classifier");
    if (config.head != "masked-lm") names.push_back("head.dense");
    config.ternary.check(names);
  }
  return Builder(config, vocab_size).net();
}

}  // namespace bitlab
