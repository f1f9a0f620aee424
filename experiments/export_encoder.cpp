#include "experiments/export_encoder.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "experiments/hf_encoder.h"
#include "experiments/hf_writer.h"
#include "layers/bitlinear_config.h"

namespace bitlab {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

EncoderFamily family_of(const BertConfig& c) {
  return c.n_types == 0 ? EncoderFamily::DistilBert : EncoderFamily::Bert;
}

// What a classifier, a pooler, a masked language model and none are called.
std::string architecture_of(const BertConfig& c) {
  const std::string family = family_of(c) == EncoderFamily::Bert ? "Bert" : "DistilBert";
  if (c.head == "classifier") return family + "ForSequenceClassification";
  return family + (c.head == "masked-lm" ? "ForMaskedLM" : "Model");
}

void require_counterpart(const LoadedRun& run, const BertConfig& c, ExportWeights weights) {
  const bool bert = family_of(c) == EncoderFamily::Bert;
  const auto require = [](bool holds, const std::string& what) {
    if (!holds) throw UsageError("export", what + ", for transformers have nothing else");
  };
  require(weights != ExportWeights::Packed, "--weights of an encoder must be f32, f16 or bf16");
  require(bert || c.norm_eps == 1e-12, "model.norm_eps must be 1e-12 without types of tokens");
  require(bert || c.head != "pooler", "model.head must not be pooler without types of tokens");
  const bool pooled = c.head == "classifier" || c.head == "pooler";
  require(!pooled || c.pooler == (bert ? "tanh" : "relu"),
          std::string("model.pooler must be ") +
              (bert ? "tanh" : "relu, as there are no types of tokens"));
  if (c.linear == "full") return;
  const auto* bitlinear = dynamic_cast<const BitLinearConfig*>(c.linear_settings.get());
  require(bitlinear != nullptr && bitlinear->act_quant == "none" && bitlinear->norm == "none" &&
              bitlinear->output_scale,
          "layers must be full or BitLinear of weights alone (act_quant and norm none)");
  require_faded_in(run);
}

// "encoder.layer.0..." stands within "bert." beside a head, which has names of its own.
std::string full_name(const std::string& ours, const BertConfig& c) {
  const EncoderFamily family = family_of(c);
  const std::string name = encoder_name(ours, family);
  const bool alone = c.head == "pooler" || c.head == "none";
  const bool of_head = ours.starts_with("classifier.") || ours.starts_with("head.") ||
                       (family == EncoderFamily::DistilBert && ours.starts_with("pooler."));
  if (alone || of_head) return name;
  return (family == EncoderFamily::Bert ? "bert." : "distilbert.") + name;
}

json config_json(const LoadedRun& run, const BertConfig& c, const std::string& dtype) {
  const std::int64_t d_ff = c.d_ff > 0 ? c.d_ff : 4 * c.d_model;
  json j = {{"architectures", {architecture_of(c)}},
            {"torch_dtype", dtype},
            {"vocab_size", bert_vocab_size(c, run.tokenizer->vocab_size())},
            {"max_position_embeddings", c.seq_len},
            {"initializer_range", c.init_std}};
  if (family_of(c) == EncoderFamily::Bert)
    j.update(json{{"model_type", "bert"},
                  {"num_hidden_layers", c.n_layer},
                  {"num_attention_heads", c.n_head},
                  {"hidden_size", c.d_model},
                  {"intermediate_size", d_ff},
                  {"type_vocab_size", c.n_types},
                  {"hidden_act", c.activation},
                  {"hidden_dropout_prob", c.dropout},
                  {"attention_probs_dropout_prob", c.attention_dropout},
                  {"classifier_dropout", c.head_dropout},
                  {"layer_norm_eps", c.norm_eps}});
  else
    j.update(json{{"model_type", "distilbert"},
                  {"n_layers", c.n_layer},
                  {"n_heads", c.n_head},
                  {"dim", c.d_model},
                  {"hidden_dim", d_ff},
                  {"activation", c.activation},
                  {"dropout", c.dropout},
                  {"attention_dropout", c.attention_dropout},
                  {"seq_classif_dropout", c.head_dropout}});
  // transformers count labels by their names.
  for (std::size_t i = 0; c.head == "classifier" && i < static_cast<std::size_t>(c.labels); ++i) {
    const std::string name = i < run.labels.size() ? run.labels[i] : "LABEL_" + std::to_string(i);
    j["id2label"][std::to_string(i)] = name;
    j["label2id"][name] = i;
  }
  return j;
}

}  // namespace

ExportResult export_encoder(const LoadedRun& run,
                            const BertConfig& config,
                            const fs::path& folder,
                            ExportWeights weights) {
  require_counterpart(run, config, weights);
  HfWriter writer(*run.model, [&](const std::string& ours) { return full_name(ours, config); });
  writer.add_floats(export_dtype(weights), /*ternary_too=*/false);
  writer.add_ternary_values(export_dtype(weights));
  ExportResult result{architecture_of(config), 0, {}};
  result.bytes = writer.write(folder / "model.safetensors");
  write_tokenizer(
      folder, run,
      family_of(config) == EncoderFamily::Bert ? "BertTokenizer" : "DistilBertTokenizer", result);
  write_file_atomic(folder / "config.json",
                    config_json(run, config, export_dtype_name(weights)).dump(2) + "\n");
  return result;
}

}  // namespace bitlab
