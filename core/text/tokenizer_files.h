#pragma once
// Tokenizers from the files that models come with.
#include <filesystem>

#include "core/text/subword.h"

namespace bitlab {

// Tells the format by the content: tokenizer.json, tokenizer.model (tiktoken's ranks, or
// SentencePiece), tokenizer.bin of llama2.c, vocab.txt of WordPiece. encoder.json or vocab.bpe take
// the other one from the same folder. Throws Error if it is none of these, or made from a text.
std::unique_ptr<SubwordTokenizer> tokenizer_from_file(const std::filesystem::path& path);

}  // namespace bitlab
