#include "layers/models/registry.h"

#include "layers/models/bert.h"
#include "layers/models/bitnet.h"
#include "layers/models/gpt.h"
#include "layers/models/wide_mlp.h"

namespace bitlab {

namespace {

void register_builtin_models(Registry<ModelPlugin>& registry) {
  registry.add("gpt", {1, "decoder with learned positions and pre-norm blocks",
                       [] { return std::make_unique<GptConfig>(); },
                       [](const Configurable& config, size_t vocab_size) {
                         return build_gpt(dynamic_cast<const GptConfig&>(config), vocab_size);
                       },
                       [](const Configurable& config) {
                         return static_cast<size_t>(dynamic_cast<const GptConfig&>(config).seq_len);
                       }});
  registry.add("bitnet",
               {1, "decoder of the b1.58 and LLaMA family: rotary positions, no biases",
                [] { return std::make_unique<BitnetConfig>(); },
                [](const Configurable& config, size_t vocab_size) {
                  return build_bitnet(dynamic_cast<const BitnetConfig&>(config), vocab_size);
                },
                [](const Configurable& config) {
                  return static_cast<size_t>(dynamic_cast<const BitnetConfig&>(config).seq_len);
                },
                [](const Configurable& config, size_t tokenizer_size) {
                  return bitnet_vocab_size(dynamic_cast<const BitnetConfig&>(config),
                                           tokenizer_size);
                }});
  registry.add("bert",
               {1,
                "encoder that looks both ways, to classify texts or find masked tokens: BERT and "
                "DistilBERT",
                [] { return std::make_unique<BertConfig>(); },
                [](const Configurable& config, size_t vocab_size) {
                  return build_bert(dynamic_cast<const BertConfig&>(config), vocab_size);
                },
                [](const Configurable& config) {
                  return static_cast<size_t>(dynamic_cast<const BertConfig&>(config).seq_len);
                },
                [](const Configurable& config, size_t tokenizer_size) {
                  return bert_output_width(dynamic_cast<const BertConfig&>(config), tokenizer_size);
                },
                /*whole_texts=*/true});
  registry.add("wide_mlp",
               {1, "a text as a bag of words and one wide hidden layer",
                [] { return std::make_unique<WideMlpConfig>(); },
                [](const Configurable& config, size_t vocab_size) {
                  return build_wide_mlp(dynamic_cast<const WideMlpConfig&>(config), vocab_size);
                },
                [](const Configurable& config) {
                  return static_cast<size_t>(dynamic_cast<const WideMlpConfig&>(config).max_tokens);
                },
                [](const Configurable& config, size_t) {
                  return static_cast<size_t>(dynamic_cast<const WideMlpConfig&>(config).labels);
                },
                /*whole_texts=*/true});
}

}  // namespace

Registry<ModelPlugin>& models() {
  static Registry<ModelPlugin> registry("model", register_builtin_models);
  return registry;
}

}  // namespace bitlab
