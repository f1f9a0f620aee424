#include "core/text/named_tokenizers.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/text/byte_bpe.h"
#include "core/text/tokenizer_files.h"

namespace bitlab {

namespace {

std::vector<NamedTokenizer> all_named() {
  std::vector<NamedTokenizer> all = {
      {"llama3",
       "LLaMA-3's byte-level BPE, 128256 tokens",
       "Llama 3",
       {{"",
         "tokenizer.model",
         {"https://raw.githubusercontent.com/microsoft/BitNet/main/gpu/tokenizer.model"},
         2183982,
         "82e9d31979e92ab929cd544440f129d9ecd797b69e327f80f17e1c50d5551b55"}}},
      {"gpt2",
       "GPT-2's byte-level BPE, 50257 tokens",
       "MIT",
       {{"",
         "encoder.json",
         {"https://openaipublic.blob.core.windows.net/gpt-2/models/124M/encoder.json"},
         1042301,
         "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783"},
        {"",
         "vocab.bpe",
         {"https://openaipublic.blob.core.windows.net/gpt-2/models/124M/vocab.bpe"},
         456318,
         "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"}}},
      {"llama2",
       "LLaMA-2's SentencePiece BPE, 32000 tokens",
       "Llama 2",
       {{"",
         "tokenizer.model",
         {"https://raw.githubusercontent.com/karpathy/llama2.c/master/tokenizer.model"},
         499723,
         "9e556afd44213b6bd1be2b850ebbbd98f5481437a8021afaf58ee7fb1818d347"}}},
      {"bert-uncased",
       "WordPiece of BERT's uncased models, 30522 tokens",
       "Apache-2.0",
       {{"",
         "vocab.txt",
         {"https://huggingface.co/google-bert/bert-base-uncased/resolve/main/vocab.txt"},
         231508,
         "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"}}}};
  for (NamedTokenizer& named : all)
    for (RemoteFile& file : named.files) file.owner = "tokenizer-" + named.name;
  return all;
}

struct FileConfig : Configurable {
  std::string path;
  void fields(FieldVisitor& v) override {
    v.field("path", path,
            {.help = "tokenizer.json, tokenizer.model, tokenizer.bin, vocab.txt or encoder.json",
             .hashed = false});  // the tokenizer's id enters the run id
    v.require(!path.empty(), "path", "must name a file", "write data.file.path = \"...\"");
  }
};

// What to_json() or whole_json() of a named tokenizer said.
std::unique_ptr<Tokenizer> from_reference(const NamedTokenizer& named, std::string_view json) {
  const auto described = nlohmann::json::parse(json);
  const auto id = described.at("id").get<std::string>();
  if (id != named.id())
    throw Error("tokenizer",
                named.name + " must be " + named.id() + ", but " + id + " is asked for",
                "another version of bitlab wrote this");
  if (!described.contains("whole")) return open_named(named).tokenizer;
  auto tokenizer = subword_from_json(described.at("whole").dump());
  tokenizer->refer_to(named.name, id);
  return tokenizer;
}

}  // namespace

std::string NamedTokenizer::id() const { return name + "-" + files.front().sha256.substr(0, 8); }

const std::vector<NamedTokenizer>& named_tokenizers() {
  static const std::vector<NamedTokenizer> all = all_named();
  return all;
}

OpenedTokenizer open_named(const NamedTokenizer& named, const FetchProgress& progress) {
  OpenedTokenizer opened;
  std::vector<std::filesystem::path> paths;
  for (const RemoteFile& file : named.files) {
    const Fetched fetched = fetch(file, progress);
    opened.notes.insert(opened.notes.end(), fetched.notes.begin(), fetched.notes.end());
    paths.push_back(fetched.path);
  }
  if (paths.size() == 2)  // perhaps of different folders
    opened.tokenizer =
        std::make_unique<ByteBpe>(ByteBpe::from_gpt2(read_file(paths[0]), read_file(paths[1])));
  else
    opened.tokenizer = tokenizer_from_file(paths[0]);
  opened.tokenizer->refer_to(named.name, named.id());
  return opened;
}

OpenedTokenizer open_tokenizer(const std::string& name, const FetchProgress& progress) {
  std::string names;
  for (const NamedTokenizer& named : named_tokenizers()) {
    if (named.name == name) return open_named(named, progress);
    names += named.name + ", ";
  }
  if (name.find('/') != std::string::npos || std::filesystem::is_regular_file(name))
    return {tokenizer_from_file(name), {}};
  throw UsageError("tokenizer", "must be one of " + names + "or a file, but got '" + name + "'");
}

void register_tokenizers_of_files(Registry<TokenizerPlugin>& registry) {
  for (const NamedTokenizer& named : named_tokenizers())
    registry.add(named.name,
                 {1, named.description, no_settings,
                  [&named](const TokenizerTexts&, const Configurable&) {
                    return open_named(named).tokenizer;
                  },
                  [&named](std::string_view json) { return from_reference(named, json); },
                  /*of_text=*/false});
  registry.add("file", {1, "from a file that a model came with",
                        [] { return std::make_unique<FileConfig>(); },
                        [](const TokenizerTexts&, const Configurable& config) {
                          return tokenizer_from_file(dynamic_cast<const FileConfig&>(config).path);
                        },
                        subword_from_json, /*of_text=*/false});
}

}  // namespace bitlab
