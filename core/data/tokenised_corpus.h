#pragma once
// A corpus as tokens: in memory, or in files of the cache that are mapped.
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "core/data/corpus.h"
#include "core/data/lm_dataset.h"
#include "core/io/remote_file.h"
#include "core/text/tokenizer.h"

namespace bitlab {

// A tokenizer that is known, or that is to be made of the text.
struct TokenizerChoice {
  std::string key;  // differs if the tokens of a text may
  std::function<std::shared_ptr<const Tokenizer>(const TokenizerTexts& texts)> make;
  bool of_text = false;  // made of the text, so that the cache keeps it beside the tokens
};
TokenizerChoice given_tokenizer(std::shared_ptr<const Tokenizer> tokenizer);

struct TokenisedCorpus {
  LmDataset splits;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::string sha256;       // CorpusFacts::sha256
  std::uint64_t bytes = 0;  // of all documents
  std::vector<std::string> notes;
};

// Between two documents of a split stands the tokenizer's document_end(), else a line break; it
// counts as no byte, or as one. A document that comes in parts is encoded part by part. Throws
// Error if train or val comes out empty.
TokenisedCorpus tokenise(const Corpus& corpus, const TokenizerChoice& choice, double val_fraction);

// The same from files of CACHE/tokens (docs/data.md says which), made if they are not there; a
// second process that wants them waits for the first. `name` is the source's; `progress` is told of
// the bytes that became tokens. Throws Error if they are damaged.
TokenisedCorpus tokenise_cached(const std::string& name,
                                const Corpus& corpus,
                                const TokenizerChoice& choice,
                                double val_fraction,
                                const FetchProgress& progress = {},
                                std::size_t tokens_of_a_shard = std::size_t{1} << 27);

// Whether they are there already: then the corpus is not read.
bool tokens_are_cached(const std::string& name,
                       const Corpus& corpus,
                       const TokenizerChoice& choice,
                       double val_fraction);

// All folders of CACHE/tokens.
std::vector<std::filesystem::path> token_folders();
// Reads every byte of a folder of CACHE/tokens. Throws Error that says what is damaged.
void verify_tokens(const std::filesystem::path& folder);

}  // namespace bitlab
