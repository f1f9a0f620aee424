#pragma once
// JSON that nobody vouches for.
#include <string>
#include <string_view>

namespace bitlab {

// The same text. Throws Error with `where` if its arrays and objects are nested deeper than `most`
// levels: copying, comparing and writing what a parser makes of it go as deep, on the stack.
std::string_view shallow_json(std::string_view text, const std::string& where, int most = 64);

}  // namespace bitlab
