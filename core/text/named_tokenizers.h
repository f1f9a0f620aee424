#pragma once
// Tokenizers by name: whose files, and where they come from.
#include "core/io/remote_file.h"
#include "core/text/subword.h"

namespace bitlab {

struct NamedTokenizer {
  std::string name;  // "llama3"; the entry of tokenizers() is called so too
  std::string description;
  std::string licence;
  std::vector<RemoteFile> files;
  std::string id() const;  // "llama3-82e9d319", after the hash of the first file
};

// llama3, gpt2, llama2, bert-uncased.
const std::vector<NamedTokenizer>& named_tokenizers();

struct OpenedTokenizer {
  std::unique_ptr<SubwordTokenizer> tokenizer;
  std::vector<std::string> notes;  // whatever was not as it should be; show them
};

// The files from the cache, a mirror or the network. Its to_json() is the name and the id.
OpenedTokenizer open_named(const NamedTokenizer& named, const FetchProgress& progress = {});

// A named tokenizer, or one from a file: a path with a '/' or the name of a file that is there.
// Throws UsageError, with the names, if it is neither.
OpenedTokenizer open_tokenizer(const std::string& name, const FetchProgress& progress = {});

// Adds the named ones, and `file`.
void register_tokenizers_of_files(Registry<TokenizerPlugin>& registry);

}  // namespace bitlab
