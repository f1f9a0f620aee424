#pragma once
// Encoders of BERT's family as Hugging Face's transformers save them: BERT and DistilBERT, with or
// without a classifier.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "experiments/foreign_model.h"
#include "layers/models/bert.h"

namespace bitlab {

enum class EncoderFamily { Bert, DistilBert };

struct HfEncoderConfig {
  EncoderFamily family = EncoderFamily::Bert;
  std::unique_ptr<BertConfig> model;  // vocab_size is set; head and labels are the weights' matter
  std::string architecture;           // of config.json, or what it comes to: "BertModel"
  // Why a classifier of the weights is none that tells labels of texts apart; else empty.
  std::string other_classifier;
  std::vector<std::string> labels;   // id2label, unless these are the dummies LABEL_0, LABEL_1
  std::vector<std::string> unknown;  // keys with a value that nothing is known of
};

// Whether a config.json is that of an encoder: by its model_type, or without one by its keys.
bool is_encoder_config(const std::filesystem::path& config_json);

// Throws Error that names every key whose value these models do not have.
HfEncoderConfig read_encoder_config(const std::filesystem::path& config_json);

// "blocks.3.attn.wq.weight" -> "encoder.layer.3.attention.self.query.weight", without what stands
// before all names ("bert."). Throws Error for a name that has no counterpart.
std::string encoder_name(const std::string& ours, EncoderFamily family);

// The folder's config.json and weights: safetensors, else pytorch_model.bin. The head is what the
// weights have: a classifier of texts, a pooler, else that of a masked language model, or none;
// `head` "masked-lm" where they have both. Throws Error that lists every tensor which is missing or
// of another shape; those that are not used are told in notes.
ForeignModel read_hf_encoder(const std::filesystem::path& folder, const std::string& head = "");

// The same of a file of weights alone, .safetensors or .bin, that are those of `config`, whose head
// is asked for.
ForeignModel read_encoder_weights(const std::filesystem::path& file,
                                  EncoderFamily family,
                                  const BertConfig& config);

}  // namespace bitlab
