#include "core/config/load.h"

#include <toml++/toml.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/config/suggest.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

using Source = std::shared_ptr<const ConfigText>;

Place place_of(const Source& source, const toml::source_region& region) {
  Place place{source, region.begin.line, region.begin.column, 1};
  if (region.end.line == region.begin.line && region.end.column > region.begin.column)
    place.length = region.end.column - region.begin.column;
  return place;
}

// The characters of a stretch of one line, as they stand in the source.
std::string written_at(const Place& place) {
  std::string_view rest = place.source->text;
  for (std::size_t line = 1; line < place.line; ++line) rest.remove_prefix(rest.find('\n') + 1);
  std::string text;
  std::size_t column = 0;
  for (const char c : rest.substr(0, rest.find('\n'))) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) ++column;
    if (column >= place.column && column < place.column + place.length) text += c;
  }
  return text;
}

Value to_value(const toml::node& node, const Source& source) {
  Value v;
  v.place = place_of(source, node.source());
  v.written = node.is_array() ? "a list" : written_at(v.place);
  if (const auto* boolean = node.as_boolean()) {
    v.kind = Value::Kind::Boolean;
    v.boolean = boolean->get();
  } else if (const auto* integer = node.as_integer()) {
    v.kind = Value::Kind::Integer;
    v.integer = integer->get();
    v.number = static_cast<double>(v.integer);
  } else if (const auto* number = node.as_floating_point()) {
    v.kind = Value::Kind::Float;
    v.number = number->get();
  } else if (const auto* text = node.as_string()) {
    v.kind = Value::Kind::String;
    v.text = text->get();
  } else if (const auto* list = node.as_array()) {
    v.kind = Value::Kind::List;
    for (const toml::node& item : *list) v.items.push_back(to_value(item, source));
  }
  return v;
}

bool plain_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return c < 128 && (std::isalnum(c) || c == '_' || c == '-');
  });
}

// toml++ quotes what it saw, line ends and all.
std::string on_one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    if (c == '\n')
      line += "end of line";
    else if (static_cast<unsigned char>(c) >= ' ')
      line += c;
  }
  return line;
}

class Loader {
 public:
  explicit Loader(const fs::path& shown_from)
      : shown_from_(fs::absolute(shown_from).lexically_normal()) {}

  void file(const fs::path& path, const Place& asked, Settings& into) {
    std::error_code error;
    const fs::path real = fs::weakly_canonical(path, error);
    if (std::find(open_.begin(), open_.end(), real) != open_.end())
      return report_cycle(real, asked);
    auto source = std::make_shared<ConfigText>();
    source->name = shown(path);
    source->order = order_++;
    source->folder = fs::absolute(path).parent_path().string();
    try {
      source->text = read_file(path);
    } catch (const Error&) {
      return problems.add(asked,
                          "the file " + shown(path) + " must be there and readable, but is not");
    }
    open_.push_back(real);
    try {
      const toml::table root = toml::parse(source->text, source->name);
      extend(root, path, source, into);
      source->merged = merged_++;
      flatten(root, "", source, into);
      into.erase("extends");
    } catch (const toml::parse_error& e) {
      problems.add(place_of(source, e.source()), "TOML syntax: " + on_one_line(e.description()));
    }
    open_.pop_back();
  }

  void override_with(const std::string& argument, Settings& into) {
    auto source = std::make_shared<ConfigText>();
    *source = {"command line", argument, order_++, true};
    const std::size_t equals = argument.find('=');
    if (equals == std::string::npos || equals == 0)
      return problems.add({source, 1, 1, argument.size()},
                          "an override must be path=value, but got '" + argument + "'");
    try {
      flatten(toml::parse(argument), "", source, into);
    } catch (const toml::parse_error& e) {
      bare_word(argument, equals, source, e, into);
    }
  }

  Problems problems;

 private:
  std::string shown(const fs::path& path) const {
    const fs::path whole = fs::absolute(path).lexically_normal();
    const fs::path below = whole.lexically_relative(shown_from_);
    return below.empty() || *below.begin() == ".." ? whole.string() : below.string();
  }

  void report_cycle(const fs::path& real, const Place& asked) {
    std::string chain;
    for (auto it = std::find(open_.begin(), open_.end(), real); it != open_.end(); ++it)
      chain += it->filename().string() + " -> ";
    problems.add(asked, "extends must not go in a circle, but " + chain + real.filename().string());
  }

  // Reads the files that this one extends, in their order.
  void extend(const toml::table& root, const fs::path& path, const Source& source, Settings& into) {
    const toml::node* node = root.get("extends");
    if (!node) return;
    const Value value = to_value(*node, source);
    if (value.kind != Value::Kind::List)
      return problems.add(value.place, "extends must be a list of files, but got " + value.written,
                          {"write extends = [\"../models/x.toml\"]"});
    for (const Value& item : value.items) {
      if (item.kind == Value::Kind::String)
        file(path.parent_path() / item.text, item.place, into);
      else
        problems.add(item.place, "extends must list files as strings, but got " + item.written);
    }
  }

  void flatten(const toml::table& table,
               const std::string& prefix,
               const Source& source,
               Settings& into) {
    for (auto&& [key, node] : table) {
      Setting setting;
      setting.key = place_of(source, key.source());
      if (!plain_key(key.str())) {
        problems.add(setting.key, "a key must consist of letters, digits, '_' and '-', but got '" +
                                      std::string(key.str()) + "'");
        continue;
      }
      const std::string path = join_path(prefix, std::string(key.str()));
      if (const toml::table* inner = node.as_table()) {
        setting.table = true;
        if (const auto [at, fresh] = into.emplace(path, setting); !fresh && !at->second.table)
          at->second = setting;  // a table keeps the place where it was first named
        flatten(*inner, path, source, into);
      } else {
        setting.value = to_value(node, source);
        into.insert_or_assign(path, setting);
      }
    }
  }

  // path=word: the shell ate the quotes, or there never were any.
  void bare_word(const std::string& argument,
                 std::size_t equals,
                 const Source& source,
                 const toml::parse_error& error,
                 Settings& into) {
    const std::string path = argument.substr(0, equals), word = argument.substr(equals + 1);
    const Place at{source, 1, equals + 2, std::max<std::size_t>(word.size(), 1)};
    const std::string first = word.substr(0, 1);
    if (first == "[" || first == "{" || first == "\"" || first == "'")
      return problems.add(
          at, "TOML syntax: " + on_one_line(error.description()),
          {"shells take quotes away: write " + path + "=a,b or put '...' around it all"});
    for (std::size_t begin = 0; begin <= path.size();) {
      const std::size_t end = std::min(path.find('.', begin), path.size());
      if (!plain_key(path.substr(begin, end - begin)))
        return problems.add({source, 1, 1, path.size()},
                            "an override must be path=value, but got '" + argument + "'");
      Setting table;
      table.table = true;
      table.key = {source, 1, begin + 1, end - begin};
      if (end < path.size()) into.insert_or_assign(path.substr(0, end), table);
      begin = end + 1;
    }
    Setting setting;
    setting.key = {source, 1, 1, path.size()};
    setting.value.kind = Value::Kind::String;
    setting.value.text = setting.value.written = word;
    setting.value.place = at;
    into.insert_or_assign(path, setting);
  }

  fs::path shown_from_;
  std::vector<fs::path> open_;  // the files being read, outermost first
  std::size_t order_ = 0, merged_ = 0;
};

// A misspelt arm on the command line would otherwise be a new one.
void check_arms(const LoadedConfig& config, Problems& problems) {
  const std::vector<std::string> names = arm_names(config);
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  for (const auto& [path, setting] : config.command_line) {
    if (table_of(path) != "arms") continue;
    if (std::find(names.begin(), names.end(), key_of(path)) != names.end()) continue;
    const std::string guess = nearest(key_of(path), names);
    problems.add(setting.key,
                 "the arm must be one of the experiment's, but got '" + key_of(path) + "'",
                 {guess.empty() ? "" : "did you mean '" + guess + "'?",
                  known.empty() ? "it has no arms" : "its arms: " + known});
  }
  for (const auto& [path, setting] : config.file)
    if ((path == "arms" || table_of(path) == "arms") && !setting.table)
      problems.add(setting.key, "'" + path + "' must be a table, but got " + setting.value.written,
                   {"write [arms.NAME] and below it what differs"});
}

}  // namespace

LoadedConfig load_config(const fs::path& file,
                         const std::vector<std::string>& overrides,
                         const fs::path& shown_from) {
  Loader loader(shown_from);
  LoadedConfig config;
  loader.file(file, {}, config.file);
  for (const std::string& argument : overrides) loader.override_with(argument, config.command_line);
  loader.problems.throw_if_any();
  check_arms(config, loader.problems);
  loader.problems.throw_if_any();
  return config;
}

}  // namespace bitlab
