#include "core/text/tokenizer.h"

#include "core/text/bpe_trainer.h"
#include "core/text/char_tokenizer.h"
#include "core/text/named_tokenizers.h"

namespace bitlab {

namespace {

struct BpeConfig : Configurable {
  std::int64_t vocab_size = 4096;
  void fields(FieldVisitor& v) override {
    v.field("vocab_size", vocab_size,
            {.help = "tokens: 256 bytes, merges, and the end of a text", .min = 257, .max = 1e6});
  }
};

void register_builtin_tokenizers(Registry<TokenizerPlugin>& registry) {
  registry.add("char",
               {1, "one token a character of the text", no_settings,
                [](const TokenizerTexts& texts, const Configurable&) {
                  return std::make_unique<CharTokenizer>(CharTokenizer::from_text(texts.all));
                },
                CharTokenizer::from_json});
  registry.add("bpe", {1, "byte-level BPE learned from the training split",
                       [] { return std::make_unique<BpeConfig>(); },
                       [](const TokenizerTexts& texts, const Configurable& config) {
                         const auto size = dynamic_cast<const BpeConfig&>(config).vocab_size;
                         return std::make_unique<ByteBpe>(
                             train_byte_bpe(texts.train, static_cast<std::size_t>(size)));
                       },
                       subword_from_json});
  register_tokenizers_of_files(registry);
}

}  // namespace

Registry<TokenizerPlugin>& tokenizers() {
  static Registry<TokenizerPlugin> registry("tokenizer", register_builtin_tokenizers);
  return registry;
}

}  // namespace bitlab
