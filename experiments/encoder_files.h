#pragma once
// Small encoders as transformers save them. Tests only.
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "core/base/files.h"
#include "core/io/safetensors.h"
#include "experiments/hf_encoder.h"

namespace bitlab {

// The text of config.json.
inline std::string bert_config() {  // as Google's and prajjwal1's: no model_type
  return R"({"hidden_size": 8, "hidden_act": "gelu", "initializer_range": 0.02, "vocab_size": 24,
"hidden_dropout_prob": 0.1, "num_attention_heads": 2, "type_vocab_size": 2,
"max_position_embeddings": 16, "num_hidden_layers": 2, "intermediate_size": 12,
"attention_probs_dropout_prob": 0.1})";
}

inline std::string distilbert_config() {
  return R"({"model_type": "distilbert", "architectures": ["DistilBertForSequenceClassification"],
"activation": "gelu", "attention_dropout": 0.1, "dim": 8, "dropout": 0.1, "hidden_dim": 12,
"max_position_embeddings": 16, "n_heads": 2, "n_layers": 2, "seq_classif_dropout": 0.2,
"sinusoidal_pos_embds": false, "tie_weights_": true, "vocab_size": 24,
"id2label": {"0": "NEGATIVE", "1": "POSITIVE"}})";
}

struct Named {
  std::string name;
  std::vector<std::size_t> shape;
  std::vector<float> values;
};

// Random tensors of all parameters of an encoder, by transformers' names.
inline std::vector<Named> tensors_of(const BertConfig& config,
                                     EncoderFamily family,
                                     std::size_t vocab_size = 24) {
  std::vector<Named> tensors;
  std::mt19937 rng(7);
  std::normal_distribution<float> normal(0, 0.3f);
  for (const ExpectedParam& p : expected_params("bert", config, vocab_size)) {
    Named t{encoder_name(p.name, family), p.shape(), {}};
    t.values.resize(p.rows * p.cols);
    for (float& v : t.values) v = normal(rng);
    tensors.push_back(std::move(t));
  }
  return tensors;
}

inline void save(const std::filesystem::path& folder,
                 const std::string& config,
                 const std::vector<Named>& tensors,
                 DType dtype = DType::F32) {
  std::vector<TensorBytes> bytes;
  for (const Named& t : tensors)
    bytes.push_back({t.name, dtype, t.shape, t.values.data(), dtype != DType::F32});
  std::filesystem::create_directories(folder);
  write_file_atomic(folder / "config.json", config);
  write_safetensors(folder / "model.safetensors", bytes);
}

inline BertConfig small(bool bert, const std::string& head) {
  BertConfig config;
  config.n_layer = config.n_head = 2;
  config.d_model = 8;
  config.d_ff = 12;
  config.seq_len = 16;
  config.n_types = bert ? 2 : 0;
  config.head = head;
  return config;
}

}  // namespace bitlab
