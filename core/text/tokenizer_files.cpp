#include "core/text/tokenizer_files.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/json_nesting.h"
#include "core/text/byte_bpe.h"
#include "core/text/sentence_piece.h"
#include "core/text/word_piece.h"

namespace bitlab {

namespace {

// "IQ== 0": base64, a space, the first rank.
bool is_tiktoken(std::string_view content) {
  const std::string_view line = content.substr(0, content.find('\n'));
  return line.size() > 2 && line.size() < 200 && line.substr(line.find(' ') + 1) == "0";
}

// What transformers write beside a vocab.txt, if it is there.
void require_uncased(const std::filesystem::path& config) {
  if (!std::filesystem::exists(config)) return;
  using nlohmann::json;
  const json described = json::parse(shallow_json(read_file(config), config.string()), nullptr,
                                     /*allow_exceptions=*/false);
  for (const char* key : {"do_lower_case", "strip_accents"})
    if (described.is_object() && described.value(key, json()) == json(false))
      throw Error(config.string(),
                  std::string(key) + " must not be false: WordPiece is uncased here");
}

}  // namespace

std::unique_ptr<SubwordTokenizer> tokenizer_from_file(const std::filesystem::path& path) {
  const std::string content = read_file(path);
  const std::string name = path.filename().string();
  const auto beside = [&](const char* other) { return read_file(path.parent_path() / other); };
  if (name == "encoder.json")
    return std::make_unique<ByteBpe>(ByteBpe::from_gpt2(content, beside("vocab.bpe")));
  if (content.starts_with("#version"))
    return std::make_unique<ByteBpe>(ByteBpe::from_gpt2(beside("encoder.json"), content));
  // A small number in 32 bits, which may be that of a newline.
  if (content.size() > 4 && content[2] == 0 && content[3] == 0)
    return std::make_unique<SentencePiece>(SentencePiece::from_llama2c(content));
  const auto require_uncased_beside = [&] {
    require_uncased(path.parent_path() / "tokenizer_config.json");
  };
  if (content.starts_with("{")) {
    auto tokenizer = subword_from_json(content);
    if (dynamic_cast<const WordPiece*>(tokenizer.get()) != nullptr) require_uncased_beside();
    return tokenizer;
  }
  if (content.starts_with("\n"))  // field 1 of a protobuf message
    return std::make_unique<SentencePiece>(SentencePiece::from_model(content));
  if (is_tiktoken(content)) return std::make_unique<ByteBpe>(ByteBpe::from_tiktoken(content));
  if (content.find("[UNK]") != std::string::npos) {
    require_uncased_beside();
    return std::make_unique<WordPiece>(WordPiece::from_vocab_txt(content));
  }
  throw Error(path.string(), "must be a tokenizer, but is none that is known",
              "tokenizer.json, tokenizer.model, tokenizer.bin, vocab.txt, encoder.json are");
}

}  // namespace bitlab
