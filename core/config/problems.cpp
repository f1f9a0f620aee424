#include "core/config/problems.h"

#include <algorithm>
#include <string_view>
#include <tuple>

#include "core/base/error.h"

namespace bitlab {

namespace {

auto sort_key(const Place& p) {
  return std::tuple(p.source ? p.source->order + 1 : 0, p.line, p.column);
}

std::string_view line_of(const Place& place) {
  std::string_view rest = place.source->text;
  for (std::size_t line = 1; line < place.line; ++line) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return {};
    rest.remove_prefix(end + 1);
  }
  rest = rest.substr(0, rest.find('\n'));
  return rest.ends_with('\r') ? rest.substr(0, rest.size() - 1) : rest;
}

// What stands before the carets: tabs stay tabs, so that the carets stay below their text; UTF-8
// continuation bytes take no column.
std::string indent_of(std::string_view line, std::size_t column) {
  std::string indent;
  std::size_t columns = 1;
  for (const char c : line) {
    if ((static_cast<unsigned char>(c) & 0xC0) == 0x80) continue;
    if (columns++ == column) return indent;
    indent += c == '\t' ? '\t' : ' ';
  }
  return indent;
}

std::string excerpt(const Place& place) {
  const std::string_view line = line_of(place);
  const std::string number = place.source->command_line ? "" : std::to_string(place.line) + " ";
  return "    " + number + "| " + std::string(line) + "\n    " + std::string(number.size(), ' ') +
         "| " + indent_of(line, place.column) +
         std::string(std::max<std::size_t>(place.length, 1), '^') + "\n";
}

}  // namespace

std::string Place::origin() const {
  if (!source) return "default";
  return source->command_line ? source->name : source->name + ":" + std::to_string(line);
}

bool operator<(const Place& a, const Place& b) { return sort_key(a) < sort_key(b); }

void Problems::add(const Place& place,
                   const std::string& message,
                   const std::vector<std::string>& notes) {
  for (const Item& item : items_)
    if (sort_key(item.place) == sort_key(place) && item.message == message) return;
  items_.push_back({place, message, notes});
}

std::string Problems::text() const {
  std::vector<Item> sorted = items_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Item& a, const Item& b) { return a.place < b.place; });
  std::string text;
  for (const Item& item : sorted) {
    const Place& p = item.place;
    if (p.known()) {
      text += p.source->name;
      if (!p.source->command_line)
        text += ":" + std::to_string(p.line) + ":" + std::to_string(p.column);
      text += ": ";
    }
    text += item.message + "\n";
    if (p.known()) text += excerpt(p);
    for (const std::string& note : item.notes)
      if (!note.empty()) text += "    " + note + "\n";
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

void Problems::throw_if_any() const {
  if (!empty()) throw UsageError(text());
}

}  // namespace bitlab
