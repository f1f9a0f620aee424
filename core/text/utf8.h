#pragma once
// UTF-8, checked.
#include <cstddef>
#include <string_view>

namespace bitlab {

// Bytes of the character that begins at text[at], or 0 if these bytes are not UTF-8 (also: overlong
// forms, surrogates, beyond U+10FFFF; RFC 3629).
std::size_t utf8_length(std::string_view text, std::size_t at);

}  // namespace bitlab
