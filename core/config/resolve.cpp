#include "core/config/resolve.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "core/config/path_visitor.h"

namespace bitlab {

namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string shown(double x) {
  std::ostringstream text;
  text.precision(15);
  text << x;
  return text.str();
}

// "at least 1", "between 0 and 1", or empty if `x` is in the range.
std::string broken_range(double x, const FieldInfo& info) {
  if (x >= info.min && x <= info.max) return "";
  if (std::isinf(info.max)) return "at least " + shown(info.min);
  if (std::isinf(info.min)) return "at most " + shown(info.max);
  return "between " + shown(info.min) + " and " + shown(info.max);
}

std::string kind_name(const Value& v) {
  switch (v.kind) {
    case Value::Kind::Boolean:
      return "a boolean";
    case Value::Kind::Integer:
      return "an integer";
    case Value::Kind::Float:
      return "a number with a fraction or exponent";
    case Value::Kind::String:
      return "a string";
    case Value::Kind::List:
      return "a list";
    case Value::Kind::Other:
      break;
  }
  return "a date or a table";
}

bool from_command_line(const Value& v) { return v.place.known() && v.place.source->command_line; }

// Replaces the values of the fields that the settings have.
class Reader : public PathVisitor {
 public:
  Reader(const Settings& settings, Problems& problems) : settings_(settings), problems_(problems) {}

  void field(const std::string& name, bool& value, const FieldInfo&) override {
    const Value* v = find(name, "true or false");
    if (!v) return;
    if (v->kind != Value::Kind::Boolean) return wrong_type(name, *v, "true or false");
    value = v->boolean;
  }

  void field(const std::string& name, std::int64_t& value, const FieldInfo& info) override {
    const Value* v = find(name, "an integer");
    if (!v) return;
    if (v->kind != Value::Kind::Integer && !v->computed)
      return wrong_type(name, *v, "an integer", whole_number(*v));
    if (in_range(name, *v, info)) value = v->computed ? std::llround(v->number) : v->integer;
  }

  void field(const std::string& name, double& value, const FieldInfo& info) override {
    const Value* v = find(name, "a number");
    if (!v) return;
    if (v->kind != Value::Kind::Float && v->kind != Value::Kind::Integer)
      return wrong_type(name, *v, "a number");
    if (!std::isfinite(v->number)) return bad(name, *v, "must be finite, but got " + v->written);
    if (in_range(name, *v, info)) value = v->number;
  }

  void field(const std::string& name, std::string& value, const FieldInfo& info) override {
    const Value* v = find(name, "a string");
    if (!v) return;
    const bool bare = from_command_line(*v) && v->kind != Value::Kind::List;  // title=2024
    if (v->kind != Value::Kind::String && !bare)
      return wrong_type(name, *v, "a string", "put it in quotes");
    const std::string text = v->kind == Value::Kind::String ? v->text : v->written;
    const auto& choices = info.choices;
    if (!choices.empty() && std::find(choices.begin(), choices.end(), text) == choices.end()) {
      const std::string guess = nearest(text, choices);
      return bad(name, *v, "must be one of " + joined(choices) + ", but got '" + text + "'",
                 guess.empty() ? "" : "did you mean '" + guess + "'?");
    }
    value = text;
  }

  void field(const std::string& name, std::vector<std::string>& value, const FieldInfo&) override {
    read_list(name, "a list of strings", Value::Kind::String, value,
              [](const Value& item) { return item.text; });
  }

  void field(const std::string& name,
             std::vector<std::int64_t>& value,
             const FieldInfo& info) override {
    std::vector<std::int64_t> list;
    if (!read_list(name, "a list of integers", Value::Kind::Integer, list,
                   [](const Value& item) { return item.integer; }))
      return;
    const Value& v = settings_.at(path(name)).value;
    for (const std::int64_t x : list) {
      const std::string range = broken_range(static_cast<double>(x), info);
      if (!range.empty())
        return bad(name, v, "must hold numbers " + range + ", but got " + std::to_string(x));
    }
    value = list;
  }

  void begin(const std::string& name, const std::string& help) override {
    const auto found = settings_.find(path(name));
    if (found != settings_.end() && !found->second.table) {
      const Value& v = found->second.value;
      problems_.add(v.place, path(name) + " must be a table, but got " + v.written,
                    {"write [" + path(name) + "] and its settings below it"});
    }
    PathVisitor::begin(name, help);
    tables.insert(table());
  }

  // Rules between fields make no sense where one of the fields is wrong already.
  void require(bool holds,
               const std::string& name,
               const std::string& must,
               const std::string& hint) override {
    if (holds || tables_with_problems_.count(table())) return;
    const auto found = settings_.find(path(name));
    if (found == settings_.end())
      return problems_.add({}, path(name) + " " + must + ", but has its default", {hint});
    const Value& v = found->second.value;
    problems_.add(v.place, path(name) + " " + must + ", but got " + v.written, {hint});
  }

  std::set<std::string> fields, tables;
  std::map<std::string, std::string> origins;

 private:
  // What was set for a field; null if nothing was, or a table.
  const Value* find(const std::string& name, const std::string& wanted) {
    const std::string full = path(name);
    fields.insert(full);
    const auto found = settings_.find(full);
    if (found == settings_.end()) return nullptr;
    const Setting& setting = found->second;
    if (setting.table) {
      tables_with_problems_.insert(table());
      problems_.add(setting.key, full + " must be " + wanted + ", but got a table");
      return nullptr;
    }
    const std::string origin = setting.value.place.origin();
    origins[full] = setting.arm.empty() ? origin : "arm " + setting.arm + " (" + origin + ")";
    return &setting.value;
  }

  template <class Element, class Get>
  bool read_list(const std::string& name,
                 const std::string& wanted,
                 Value::Kind kind,
                 std::vector<Element>& value,
                 const Get& get) {
    const Value* v = find(name, wanted);
    if (!v) return false;
    std::vector<Value> items = v->items;
    if (v->kind != Value::Kind::List) {
      if (!from_command_line(*v)) {
        wrong_type(name, *v, wanted, "write " + name + " = [" + v->written + "]");
        return false;
      }
      items = v->kind == Value::Kind::String ? split(*v) : std::vector<Value>{*v};
    }
    std::vector<Element> list;
    for (const Value& item : items) {
      if (item.kind != kind) {
        wrong_type(name, item, wanted);
        return false;
      }
      list.push_back(get(item));
    }
    value = list;
    return true;
  }

  // a,b of the command line.
  static std::vector<Value> split(const Value& v) {
    std::vector<Value> items;
    for (std::size_t begin = 0; begin <= v.text.size();) {
      const std::size_t end = std::min(v.text.find(',', begin), v.text.size());
      Value item = v;
      item.text = item.written = v.text.substr(begin, end - begin);
      std::istringstream digits(item.text);
      if (digits >> item.integer && digits.eof()) item.kind = Value::Kind::Integer;
      items.push_back(item);
      begin = end + 1;
    }
    return items;
  }

  // A hint where 1e3 stands for 1000.
  static std::string whole_number(const Value& v) {
    const bool whole = v.kind == Value::Kind::Float && std::abs(v.number) < 1e15 &&
                       v.number == std::trunc(v.number);
    return whole ? "write " + std::to_string(static_cast<std::int64_t>(v.number)) : "";
  }

  bool in_range(const std::string& name, const Value& v, const FieldInfo& info) {
    const std::string range = broken_range(v.number, info);
    if (!range.empty()) bad(name, v, "must be " + range + ", but got " + v.written);
    return range.empty();
  }

  void wrong_type(const std::string& name,
                  const Value& v,
                  const std::string& wanted,
                  const std::string& hint = "") {
    bad(name, v,
        "must be " + wanted + ", but got " + kind_name(v) +
            (v.kind == Value::Kind::List ? "" : ": " + v.written),
        hint);
  }

  void bad(const std::string& name,
           const Value& v,
           const std::string& message,
           const std::string& hint = "") {
    tables_with_problems_.insert(table());
    problems_.add(v.place, path(name) + " " + message, {hint});
  }

  const Settings& settings_;
  Problems& problems_;
  std::set<std::string> tables_with_problems_;
};

// Keys of one table, in the order of the alphabet.
std::string keys_of(const std::set<std::string>& fields, const std::string& table) {
  std::string keys;
  for (const std::string& field : fields)
    if (table_of(field) == table) keys += " " + key_of(field);
  return keys;
}

}  // namespace

std::map<std::string, std::string> ConfigReader::read(const Settings& settings,
                                                      Configurable& target) {
  Reader reader(settings, problems_);
  target.fields(reader);
  fields_.insert(reader.fields.begin(), reader.fields.end());
  tables_.insert(reader.tables.begin(), reader.tables.end());
  for (const auto& [path, setting] : settings) {
    Seen& seen = seen_[{setting.key, path}];
    seen.setting = setting;
    seen.known = seen.known || reader.fields.count(path) || reader.tables.count(path);
  }
  return reader.origins;
}

void ConfigReader::report_unknown() {
  for (const auto& [key, seen] : seen_)
    if (!seen.known) report_unknown(key.second, seen.setting);
}

void ConfigReader::report_unknown(const std::string& path, const Setting& setting) {
  const std::string of_arm = setting.arm.empty() ? "" : " in arm " + setting.arm;
  const std::string table = table_of(path);
  if (!table.empty() && !tables_.count(table))
    return;  // the table was reported, or the field that it cannot be
  if (setting.table) {
    const std::string guess = nearest(path, {tables_.begin(), tables_.end()});
    std::string known;
    for (const std::string& t : tables_) known += " [" + t + "]";
    return problems_.add(setting.key, "unknown table [" + path + "]" + of_arm,
                         {guess.empty() ? "" : "did you mean [" + guess + "]?", "tables:" + known});
  }
  if (fields_.count(path))
    return problems_.add(setting.key, "unknown key '" + path + "'" + of_arm,
                         {"another arm has it: it depends on a name that is set there"});
  const std::string guess = suggest_path(path, fields_);
  const std::string keys = keys_of(fields_, table);
  problems_.add(setting.key, "unknown key '" + path + "'" + of_arm,
                {guess.empty() ? "" : "did you mean '" + guess + "'?",
                 "valid keys " + (table.empty() ? "at the top:" : "in [" + table + "]:") + keys});
}

std::map<std::string, std::string> read_settings(const Settings& settings, Configurable& target) {
  Problems problems;
  ConfigReader reader(problems);
  auto origins = reader.read(settings, target);
  reader.report_unknown();
  problems.throw_if_any();
  return origins;
}

}  // namespace bitlab
