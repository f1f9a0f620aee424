#include "core/config/read_fields.h"

#include <algorithm>
#include <string_view>

#include "core/config/settings.h"

namespace bitlab {

namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// Where the comment begins: the first # outside of strings.
std::size_t comment_at(std::string_view line) {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quoted && line[i] == '\\')
      ++i;
    else if (line[i] == '"')
      quoted = !quoted;
    else if (line[i] == '#' && !quoted)
      return i;
  }
  return line.size();
}

}  // namespace

std::vector<PrintedField> read_fields(const std::string& text) {
  std::vector<PrintedField> fields;
  std::string table;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const std::size_t comment = comment_at(line);
    const std::string_view content = trimmed(line.substr(0, comment));
    const std::size_t equals = content.find('=');
    if (content.starts_with('[') && content.ends_with(']')) {
      table = content.substr(1, content.size() - 2);
    } else if (equals != std::string_view::npos) {
      const std::string_view origin =
          comment < line.size() ? trimmed(line.substr(comment + 1)) : std::string_view();
      fields.push_back({join_path(table, std::string(trimmed(content.substr(0, equals)))),
                        std::string(trimmed(content.substr(equals + 1))), std::string(origin)});
    }
  }
  return fields;
}

}  // namespace bitlab
