#pragma once
// GPT with learned positions and pre-norm blocks, full-precision or ternary:
//   x = token_embedding[t] + position_embedding[p]
//   x = x + attn(norm1(x));  x = x + w2 act(w1 norm2(x))     n_layer times
//   logits = head(final_norm(x))
#include <cstdint>
#include <memory>
#include <string>

#include "core/config/fields.h"
#include "layers/layer.h"

namespace bitlab {

struct GptConfig : Configurable {
  std::int64_t n_layer = 4;
  std::int64_t n_head = 4;
  std::int64_t d_model = 64;
  std::int64_t d_ff = 0;  // 0: 4 d_model
  std::int64_t seq_len = 32;
  std::string norm = "rmsnorm";
  std::unique_ptr<Configurable> norm_settings;  // of that norm, in the table named after it
  double norm_eps = 1e-5;
  std::string activation = "relu";  // relu, gelu
  double dropout = 0;
  bool tie_embeddings = false;  // the head reads the token embedding
  std::string attention_scale =
      "head_dim";  // 1 / sqrt(d_head); n_embd: 1 / sqrt(d_model), as babyBitNet
  bool qkv_bias = false;
  bool proj_bias = true;  // of the attention output
  bool ffn_bias = true;
  bool head_bias = true;
  double init_std = 0.02;
  std::string linear = "full";  // kind of the blocks' linear layers; the head is always full
  std::unique_ptr<Configurable> linear_settings;  // of that kind, in the table named after it

  GptConfig();
  void fields(FieldVisitor& v) override;
};

// Its parameters are not bound yet (ParamStore does that).
LayerPtr build_gpt(const GptConfig& config, size_t vocab_size);

}  // namespace bitlab
