#pragma once
// Encoders of BERT's family: BERT (Devlin et al., 2019, arXiv 1810.04805) and DistilBERT (Sanh et
// al., 2019, arXiv 1910.01108), with a classifier or the head of masked language models on top.
//   x = dropout(norm(token[t] + position[p] + type[0]))
//   x = norm1(x + dropout(attn(x)));  x = norm2(x + dropout(w2 gelu(w1 x)))      n_layer times
//   logits = classifier(dropout(act(pooler(x[first])))), a row a text
//   or logits = token^T norm(act(dense(x[p]))) + bias, a row a position p that is asked for
// Attention looks both ways. Texts of a batch have their own lengths (Pass::begins): they give what
// padding and a mask would, without its cost.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/config/fields.h"
#include "layers/layer.h"
#include "layers/replacement.h"

namespace bitlab {

struct BertConfig : Configurable {
  std::int64_t n_layer = 12;
  std::int64_t n_head = 12;
  std::int64_t d_model = 768;
  std::int64_t d_ff = 0;        // 0: 4 d_model
  std::int64_t seq_len = 512;   // positions: the most tokens of a text
  std::int64_t vocab_size = 0;  // 0: the tokenizer's; else at least that
  std::int64_t n_types = 2;     // of tokens; 0: none (DistilBERT)
  double norm_eps = 1e-12;
  std::string activation = "gelu";  // gelu, relu
  double dropout = 0.1;             // of embeddings and of what blocks add
  double attention_dropout = 0.1;   // of the probabilities
  // classifier: logits, a row a text; pooler: what it would read; masked-lm: logits of tokens, a
  // row a position of Pass::picked; none: the last block's vectors, a row a token.
  std::string head = "classifier";
  std::string pooler = "tanh";  // activation behind the pooler: tanh (BERT), relu (DistilBERT)
  double head_dropout = 0.1;    // before the classifier; DistilBERT has 0.2
  std::int64_t labels = 2;
  double init_std = 0.02;
  // Where parameters come from before the first step: see experiments/pretrained.h. Empty: random.
  std::string pretrained;
  std::string linear = "full";  // kind of the linear layers that `ternary` names; others are full
  std::unique_ptr<Configurable> linear_settings;  // of that kind, in the table named after it
  ReplacementConfig ternary;
  bool checkpoint = false;  // each block keeps its input alone and is run again for backward

  BertConfig();
  void fields(FieldVisitor& v) override;
};

// The share of tokens that are masked in pre-training.
inline constexpr double kMaskedShare = 0.15;

// Names of all linear layers: "blocks.0.attn.wq" ... "pooler", "classifier", or "head.dense".
std::vector<std::string> bert_linear_names(const BertConfig& config);

// How many tokens the model knows, given how many the tokenizer has. Throws UsageError if that is
// too many.
size_t bert_vocab_size(const BertConfig& config, size_t tokenizer_size);

// Width of what the model gives: labels, tokens, or d_model without such a head.
size_t bert_output_width(const BertConfig& config, size_t tokenizer_size);

// Its parameters are not bound yet (ParamStore does that). vocab_size is the tokenizer's. Throws
// UsageError if it does not fit, or if a pattern of `ternary` matches nothing.
LayerPtr build_bert(const BertConfig& config, size_t vocab_size);

}  // namespace bitlab
