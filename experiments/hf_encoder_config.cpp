// The part of hf_encoder.h that reads config.json.
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/json_nesting.h"
#include "experiments/hf_encoder.h"
#include "experiments/key_reader.inc.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

json read_json(const fs::path& path) {
  try {
    json config = json::parse(shallow_json(read_file(path), path.string()));
    if (!config.is_object()) throw Error(path.string(), "must be a JSON object");
    return config;
  } catch (const json::exception& e) {
    throw Error(path.string(),
                std::string("must be a config.json of transformers, but ") + e.what());
  }
}

// Empty if it is another kind of model.
std::string model_type(const json& config) {
  const auto type = config.find("model_type");
  if (type != config.end() && type->is_string()) return type->get<std::string>();
  // Google's and prajjwal1's small models have none.
  if (config.contains("dim") && config.contains("n_layers")) return "distilbert";
  if (config.contains("hidden_size") && config.contains("type_vocab_size")) return "bert";
  return "";
}

// Of dropping out, as model.dropout and its kin may be.
double probability(KeyReader& keys, const std::string& key, double otherwise) {
  const double p = keys.get(key, otherwise);
  if (p >= 0 && p <= 0.99) return p;
  keys.refuse(key, "from 0 to 0.99");
  return otherwise;
}

void read_bert(KeyReader& keys, BertConfig& c) {
  c.n_layer = keys.need("num_hidden_layers", 4096);
  c.n_head = keys.need("num_attention_heads");
  c.d_model = keys.need("hidden_size");
  c.d_ff = keys.need("intermediate_size");
  c.n_types = keys.whole("type_vocab_size", 2);
  c.activation = keys.get<std::string>("hidden_act", "gelu");
  c.dropout = probability(keys, "hidden_dropout_prob", 0.1);
  c.attention_dropout = probability(keys, "attention_probs_dropout_prob", 0.1);
  c.head_dropout = probability(keys, "classifier_dropout", c.dropout);
  c.norm_eps = keys.get("layer_norm_eps", 1e-12);
  c.pooler = "tanh";
  keys.refuse_unless("position_embedding_type", "absolute", "absolute");
  keys.refuse_unless("is_decoder", false, "false");
  keys.refuse_unless("add_cross_attention", false, "false");
}

void read_distilbert(KeyReader& keys, BertConfig& c) {
  c.n_layer = keys.need("n_layers", 4096);
  c.n_head = keys.need("n_heads");
  c.d_model = keys.need("dim");
  c.d_ff = keys.need("hidden_dim");
  c.n_types = 0;
  c.activation = keys.get<std::string>("activation", "gelu");
  c.dropout = probability(keys, "dropout", 0.1);
  c.attention_dropout = probability(keys, "attention_dropout", 0.1);
  c.head_dropout = probability(keys, "seq_classif_dropout", 0.2);
  c.pooler = "relu";
  keys.ignore({"sinusoidal_pos_embds", "qa_dropout", "tie_weights_"});  // positions are saved
}

// "negative", "positive" in the order of their numbers; none of dummies.
std::vector<std::string> read_labels(KeyReader& keys) {
  const json* names = keys.find("id2label");
  keys.ignore({"label2id", "num_labels", "_num_labels", "finetuning_task"});
  keys.ignore({"problem_type"});
  std::vector<std::string> labels;
  if (names == nullptr || !names->is_object()) return labels;
  for (std::size_t i = 0; i < names->size(); ++i) {
    const auto name = names->find(std::to_string(i));
    if (name == names->end() || !name->is_string()) return {};
    labels.push_back(name->get<std::string>());
    if (labels.back() == "LABEL_" + std::to_string(i)) return {};
  }
  return labels;
}

// Of a head that does something else than to tell one label of a text: what. Architectures are
// often those of what the training began with, and say nothing against it then.
std::string other_classifier(const json& config, const std::string& architecture) {
  for (const char* other : {"ForTokenClassification", "ForMultipleChoice", "ForQuestionAnswering"})
    if (architecture.ends_with(other)) return "it is of " + architecture;
  const auto problem = config.find("problem_type");
  if (problem != config.end() && problem->is_string() && *problem != "single_label_classification")
    return "its problem_type is " + problem->get<std::string>();
  return "";
}

void ignore_harmless(KeyReader& keys) {
  keys.ignore({"_name_or_path",
               "architectures",
               "model_type",
               "torch_dtype",
               "dtype",
               "transformers_version",
               "use_cache",
               "initializer_range",
               "pad_token_id",
               "gradient_checkpointing",
               "output_past",
               "attn_implementation",
               "vocab_size",
               "_attn_implementation",
               "chunk_size_feed_forward",
               "tie_word_embeddings",
               "bos_token_id",
               "eos_token_id",
               "output_hidden_states",
               "output_attentions"});
}

}  // namespace

bool is_encoder_config(const fs::path& config_json) {
  const std::string type = model_type(read_json(config_json));
  return type == "bert" || type == "distilbert";
}

HfEncoderConfig read_encoder_config(const fs::path& config_json) {
  const json config = read_json(config_json);
  HfEncoderConfig result;
  const std::string type = model_type(config);
  result.family = type == "distilbert" ? EncoderFamily::DistilBert : EncoderFamily::Bert;
  const bool bert = result.family == EncoderFamily::Bert;
  const json names = config.value("architectures", json::array());
  result.architecture = names.is_array() && !names.empty() && names[0].is_string()
                            ? names[0].get<std::string>()
                            : (bert ? "BertModel" : "DistilBertModel");
  result.other_classifier = other_classifier(config, result.architecture);
  result.model = std::make_unique<BertConfig>();
  BertConfig& c = *result.model;
  KeyReader keys(config, "");
  if (bert)
    read_bert(keys, c);
  else
    read_distilbert(keys, c);
  c.vocab_size = keys.need("vocab_size");
  c.seq_len = keys.whole("max_position_embeddings", 512);
  if (c.activation != "gelu" && c.activation != "relu")
    keys.refuse(bert ? "hidden_act" : "activation", "gelu (with erf) or relu");
  if (c.d_model % c.n_head != 0)
    keys.refuse(bert ? "num_attention_heads" : "n_heads", "a divisor of the width");
  keys.refuse_unless("quantization_config", nullptr, "absent (weights are floats)");
  result.labels = read_labels(keys);
  ignore_harmless(keys);
  result.unknown = keys.unknown();
  if (!keys.problems().empty())
    throw Error(config_json.string(),
                "must describe a model that bitlab can build, but:" + keys.problems());
  return result;
}

}  // namespace bitlab
