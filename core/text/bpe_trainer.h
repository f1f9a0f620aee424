#pragma once
// A byte-level BPE vocabulary of one's own, learned from a text (Sennrich et al., 2016; on bytes as
// in Radford et al., 2019).
#include "core/text/byte_bpe.h"

namespace bitlab {

// The text is cut into pieces by LLaMA-3's expression. Tokens 0 to 255 are the bytes; then, one
// after another, the most frequent pair of neighbours within pieces becomes a token (of several
// such pairs the one of the lowest left id, then right id), until there are vocab_size - 1; the
// last token is <|endoftext|>. A pair that gives a token which is there already, from two others,
// is merged to that one. The same text gives the same vocabulary, whatever its order of
// pieces. Throws UsageError if vocab_size is below 257, or if the text has too few pairs that come
// twice; the message says how many there are.
ByteBpe train_byte_bpe(const TextReader& text, std::size_t vocab_size);

}  // namespace bitlab
