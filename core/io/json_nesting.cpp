#include "core/io/json_nesting.h"

#include "core/base/error.h"

namespace bitlab {

std::string_view shallow_json(std::string_view text, const std::string& where, int most) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > most)
        throw Error(where, "must not be nested deeper than " + std::to_string(most) + " levels");
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return text;
}

}  // namespace bitlab
