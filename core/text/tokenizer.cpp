#include "core/text/tokenizer.h"

#include "core/text/char_tokenizer.h"

namespace bitlab {

namespace {

void register_builtin_tokenizers(Registry<TokenizerPlugin>& registry) {
  registry.add("char", {1, "one token a character of the text", no_settings,
                        [](std::string_view text, const Configurable&) {
                          return std::make_unique<CharTokenizer>(CharTokenizer::from_text(text));
                        },
                        CharTokenizer::from_json});
}

}  // namespace

Registry<TokenizerPlugin>& tokenizers() {
  static Registry<TokenizerPlugin> registry("tokenizer", register_builtin_tokenizers);
  return registry;
}

}  // namespace bitlab
