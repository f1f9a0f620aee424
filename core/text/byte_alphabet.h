#pragma once
// GPT-2's way to write bytes as visible characters, in encoder.json, vocab.bpe and tokenizer.json:
// printable Latin-1 stands for itself, the other 68 bytes are U+0100, U+0101 ... in order.
#include <array>
#include <string>
#include <string_view>

namespace bitlab {

// By byte: its character in UTF-8.
const std::array<std::string, 256>& byte_alphabet();
std::string bytes_to_alphabet(std::string_view bytes);
// False, and `bytes` is of no use, if a character is not of the alphabet.
bool alphabet_to_bytes(std::string_view text, std::string& bytes);

}  // namespace bitlab
