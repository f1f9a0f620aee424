#include "core/config/settings.h"

#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/config/problems.h"

namespace bitlab {

namespace fs = std::filesystem;

std::string Origin::text() const {
  const std::string place = file.empty() ? "command line" : file + ":" + std::to_string(line);
  return arm.empty() ? place : "arm " + arm + " (" + place + ")";
}

std::string Value::type_name() const {
  const char* const names[] = {"a boolean", "an integer", "a number", "a string", "a list"};
  return names[data.index()];
}

namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out + "\"";
}

// Shortest digits that read back to the same bits, and a sign that it is no integer.
std::string float_text(double x) {
  if (x != x) return "nan";
  if (x > 1.7976931348623157e308) return "inf";
  if (x < -1.7976931348623157e308) return "-inf";
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, x).ptr;
  std::string text(buffer, end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// One file being read: knows where things stand in it.
struct Source {
  std::string shown;
  std::vector<std::string> lines;

  Origin at(const toml::source_region& region) const {
    Origin origin;
    origin.file = shown;
    origin.line = region.begin.line;
    origin.column = region.begin.column;
    if (origin.line >= 1 && origin.line <= lines.size()) origin.source_line = lines[origin.line - 1];
    return origin;
  }
};

[[noreturn]] void refuse(const Origin& origin, const std::string& message, const std::string& hint = "") {
  throw UsageError(format_problems({{origin, message, hint}}));
}

Value to_value(const toml::node& node, const Source& source, const std::string& path) {
  const Origin origin = source.at(node.source());
  if (const auto* b = node.as_boolean()) return {b->get(), origin};
  if (const auto* i = node.as_integer()) return {i->get(), origin};
  if (const auto* f = node.as_floating_point()) return {f->get(), origin};
  if (const auto* s = node.as_string()) return {s->get(), origin};
  if (const auto* array = node.as_array()) {
    ValueList list;
    for (const toml::node& element : *array) list.push_back(to_value(element, source, path));
    return {list, origin};
  }
  refuse(origin, "'" + path + "' must be a boolean, a number, a string or a list of these");
}

std::optional<toml::table> parse_assignment(const std::string& text) {
  try {
    return toml::parse("x = " + text);
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
}

}  // namespace

std::string Value::toml() const {
  if (const auto* b = std::get_if<bool>(&data)) return *b ? "true" : "false";
  if (const auto* i = std::get_if<std::int64_t>(&data)) return std::to_string(*i);
  if (const auto* f = std::get_if<double>(&data)) return float_text(*f);
  if (const auto* s = std::get_if<std::string>(&data)) return quoted(*s);
  std::string out = "[";
  for (const Value& element : std::get<ValueList>(data)) out += (out.size() > 1 ? ", " : "") + element.toml();
  return out + "]";
}

Settings Settings::load(const fs::path& file, const fs::path& shown_from) {
  Settings settings;
  std::vector<fs::path> open;
  settings.merge_file(file, shown_from, open);
  return settings;
}

void Settings::put_arm(const std::string& name, const Origin& origin) {
  if (name.empty() || name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") !=
                          std::string::npos)
    refuse(origin, "an arm's name must be made of letters, digits, '.', '_' and '-', but got '" + name + "'");
  if (std::find(arms_.begin(), arms_.end(), name) == arms_.end()) arms_.push_back(name);
}

void Settings::merge_file(const fs::path& file, const fs::path& shown_from, std::vector<fs::path>& open) {
  const fs::path absolute = fs::weakly_canonical(file);
  const fs::path relative = absolute.lexically_relative(fs::weakly_canonical(shown_from));
  const bool below = !relative.empty() && *relative.begin() != "..";
  const std::string text = read_file(file);
  const Source source{below ? relative.string() : file.string(), split_lines(text)};
  if (std::find(open.begin(), open.end(), absolute) != open.end())
    throw UsageError(source.shown, "must not extend itself, directly or through others");
  open.push_back(absolute);

  toml::table table;
  try {
    table = toml::parse(text, source.shown);
  } catch (const toml::parse_error& e) {
    refuse(source.at(e.source()), std::string("is no TOML: ") + std::string(e.description()));
  }

  if (const toml::node* extends = table.get("extends")) {
    const Value value = to_value(*extends, source, "extends");
    const auto* list = std::get_if<ValueList>(&value.data);
    if (!list) refuse(value.origin, "'extends' must be a list of files");
    for (const Value& element : *list) {
      const auto* name = std::get_if<std::string>(&element.data);
      if (!name) refuse(element.origin, "'extends' must be a list of files");
      const fs::path other = file.parent_path() / *name;
      if (!fs::exists(other)) refuse(element.origin, "extends '" + *name + "', which does not exist");
      merge_file(other, shown_from, open);
    }
    table.erase("extends");
  }

  // Arms in the order of the file: toml++ itself goes by the alphabet.
  if (const toml::table* arms = table["arms"].as_table()) {
    std::vector<std::pair<toml::source_position, std::string>> order;
    for (const auto& [key, node] : *arms) {
      if (!node.is_table()) refuse(source.at(node.source()), "'arms' must hold tables, [arms.NAME]");
      order.emplace_back(key.source().begin, std::string(key.str()));
    }
    std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [position, name] : order) put_arm(name, source.at({position, position, nullptr}));
  }

  const auto collect = [&](const auto& self, const toml::table& node, const std::string& prefix) -> void {
    for (const auto& [key, child] : node) {
      const std::string path = prefix.empty() ? std::string(key.str()) : prefix + "." + std::string(key.str());
      if (const toml::table* inner = child.as_table()) {
        self(self, *inner, path);
        continue;
      }
      Value value = to_value(child, source, path);
      value.origin = source.at(key.source());
      values_[path] = std::move(value);
    }
  };
  collect(collect, table, "");
  open.pop_back();
}

void Settings::assign(const std::string& assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0)
    throw UsageError("command line", "an override must read path=value, but got '" + assignment + "'");
  const std::string path = assignment.substr(0, equals), text = assignment.substr(equals + 1);
  Origin origin;
  origin.source_line = assignment;
  Value value{text, origin};
  if (const auto table = parse_assignment(text)) {
    value = to_value(*table->get("x"), {"", {}}, path);
    value.origin = origin;
  }
  assigned_[path] = value;
  if (path.rfind("arms.", 0) == 0) put_arm(path.substr(5, path.find('.', 5) - 5), origin);
}

std::vector<std::string> Settings::arms() const { return arms_; }

Settings Settings::for_arm(const std::string& name) const {
  if (!name.empty() && std::find(arms_.begin(), arms_.end(), name) == arms_.end()) {
    std::string known;
    for (const std::string& arm : arms_) known += (known.empty() ? "" : ", ") + arm;
    throw UsageError("arm", "must be one of " + known + ", but got '" + name + "'");
  }
  Settings result;
  const std::string own = "arms." + name + ".";
  const auto lay = [&](const std::map<std::string, Value>& from, bool of_arm) {
    for (const auto& [path, value] : from) {
      const bool in_arms = path.rfind("arms.", 0) == 0;
      if (in_arms != of_arm || (of_arm && path.rfind(own, 0) != 0)) continue;
      Value copy = value;
      if (of_arm) copy.origin.arm = name;
      result.values_[of_arm ? path.substr(own.size()) : path] = copy;
    }
  };
  lay(values_, false);
  lay(values_, true);
  lay(assigned_, false);
  lay(assigned_, true);
  return result;
}

}  // namespace bitlab
