#include "layers/models/registry.h"

#include "layers/models/gpt.h"

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
}

}  // namespace

Registry<ModelPlugin>& models() {
  static Registry<ModelPlugin> registry("model", register_builtin_models);
  return registry;
}

}  // namespace bitlab
