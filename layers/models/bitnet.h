#pragma once
// The b1.58 family: decoders with rotary positions, no biases and ternary or full-precision linear
// layers. LLaMA is the point with linear = "full".
//   x = embedding[t]
//   x = x + wo sub_norm(attention(rope(wq x'), rope(wk x'), wv x')),      x' = norm1(x)
//   x = x + w_down sub_norm(act(w_gate x') (w_up x')),                    x' = norm2(x)
//   logits = head(final_norm(x))
// (arXiv 2402.17764; 2B4T: arXiv 2504.12285.) Settings and presets: docs/models.md.
#include <cstdint>
#include <memory>
#include <string>

#include "core/config/fields.h"
#include "layers/layer.h"

namespace bitlab {

// attention = "latent_scores": scores between compressed queries and keys (layers/latent_scores.h).
struct LatentScoresConfig : Configurable {
  std::int64_t d_latent = 32;
  void fields(FieldVisitor& v) override;
};

// attention = "mla": keys and values from one latent of each position (layers/mla.h).
struct MlaConfig : Configurable {
  std::int64_t kv_rank = 128;
  std::int64_t q_rank = 0;  // 0: queries are not made of a latent
  std::int64_t d_rope = 16;
  void fields(FieldVisitor& v) override;
};

struct BitnetConfig : Configurable {
  std::int64_t n_layer = 4;
  std::int64_t n_head = 4;
  std::int64_t n_kv_head = 0;  // 0: n_head; heads of keys and values, shared by groups of queries
  std::int64_t d_model = 64;
  std::int64_t d_head = 0;  // 0: d_model / n_head
  std::int64_t d_ff = 256;
  std::int64_t seq_len = 32;
  std::int64_t vocab_size = 0;  // 0: the tokenizer's; else at least that
  std::string norm = "rmsnorm";
  std::unique_ptr<Configurable> norm_settings;  // of that norm, in the table named after it
  double norm_eps = 1e-5;
  double rope_base = 1e4;
  std::string attention = "standard";                // standard, latent_scores, mla
  std::unique_ptr<Configurable> attention_settings;  // of that kind, in the table named after it
  std::string ffn = "swiglu";                        // swiglu, relu2_glu, relu2, gelu
  bool block_norm = true;  // norm1 and norm2; false where BitLinear carries its own
  bool sub_norm = false;   // norms before wo and before w_down
  // wq, wk, wv (and w_gate, w_up) read one input: normalised and quantised once, by one gain.
  // false: each is a layer of its own, with a norm of its own if it has one inside.
  bool share_inputs = true;
  bool tie_embeddings = true;
  std::string head = "full";    // full, bitlinear
  std::string init = "normal";  // of linear weights: normal, kaiming_uniform (torch's default)
  double init_std = 0.02;       // of normal weights and embeddings
  std::string linear = "full";  // kind of the blocks' linear layers
  std::unique_ptr<Configurable> linear_settings;  // of that kind, in the table named after it
  bool checkpoint = false;  // each block keeps its input alone and is run again for backward
  std::string size_check;   // parameters that the model may have, "680M..720M"; empty: any number

  BitnetConfig();
  void fields(FieldVisitor& v) override;
};

// Sets the kind of attention, with its default settings.
void set_attention(BitnetConfig& config, const std::string& kind);

// How many tokens the model knows, given how many the tokenizer has. Throws UsageError if that is
// too many for settings that fix vocab_size.
size_t bitnet_vocab_size(const BitnetConfig& config, size_t tokenizer_size);

// Its parameters are not bound yet (ParamStore does that). vocab_size is the tokenizer's. Throws
// UsageError if that does not fit the model's, or if size_check does not hold.
LayerPtr build_bitnet(const BitnetConfig& config, size_t vocab_size);

}  // namespace bitlab
