#pragma once
// An encoder of 13 tokens and two labels that takes no time. Tests only.
#include <memory>

#include "layers/models/bert.h"
#include "layers/models/model.h"

namespace bitlab {

inline BertConfig toy_encoder(std::int64_t layers, std::int64_t width, std::int64_t heads) {
  BertConfig config;
  config.n_layer = layers;
  config.n_head = heads;
  config.d_model = width;
  config.seq_len = 24;
  config.dropout = config.attention_dropout = config.head_dropout = 0;
  config.init_std = 0.3;
  return config;
}

inline std::unique_ptr<LanguageModel> toy_model(const BertConfig& config, std::uint64_t seed) {
  return std::make_unique<LanguageModel>(build_bert(config, 13), 2, 24, seed);
}

}  // namespace bitlab
