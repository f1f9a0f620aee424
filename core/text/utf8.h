#pragma once
// UTF-8, checked.
#include <cstddef>
#include <string>
#include <string_view>

namespace bitlab {

// Bytes of the character that begins at text[at], or 0 if these bytes are not UTF-8 (also: overlong
// forms, surrogates, beyond U+10FFFF; RFC 3629).
std::size_t utf8_length(std::string_view text, std::size_t at);

// The code point of a well-formed character: text[at, at + length), as utf8_length() gave it.
char32_t utf8_code_point(std::string_view text, std::size_t at, std::size_t length);

// Appends a code point (at most U+10FFFF, no surrogate).
void append_utf8(std::string& text, char32_t code_point);

// Characters of well-formed UTF-8.
std::size_t utf8_characters(std::string_view text);

}  // namespace bitlab
