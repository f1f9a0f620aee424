#include "core/config/resolve.h"

#include <algorithm>
#include <functional>
#include <set>

#include "core/base/error.h"
#include "core/config/problems.h"

namespace bitlab {

namespace {

// Keeps the dotted path of the table that is being visited.
class PathVisitor : public FieldVisitor {
 public:
  void begin(const std::string& name, const std::string&) override { tables_.push_back(name); }
  void end() override { tables_.pop_back(); }

 protected:
  std::string path(const std::string& name) const {
    std::string full;
    for (const std::string& table : tables_) full += table + ".";
    return full + name;
  }

 private:
  std::vector<std::string> tables_;
};

std::string shown_number(double x) {
  std::string text = Value{x, {}}.toml();
  if (text.size() > 2 && text.substr(text.size() - 2) == ".0") text.resize(text.size() - 2);
  return text;
}

class Reader : public PathVisitor {
 public:
  explicit Reader(const Settings& settings) : settings_(settings) {}

  void field(const std::string& name, bool& value, const FieldInfo&) override {
    read(name, "a boolean", [&](const Value& v) {
      const auto* b = std::get_if<bool>(&v.data);
      if (b) value = *b;
      return b != nullptr;
    });
  }

  void field(const std::string& name, std::int64_t& value, const FieldInfo& info) override {
    read(name, "an integer", [&](const Value& v) {
      const auto* i = std::get_if<std::int64_t>(&v.data);
      if (i) value = *i;
      return i != nullptr;
    });
    check_range(name, static_cast<double>(value), info);
  }

  void field(const std::string& name, double& value, const FieldInfo& info) override {
    read(name, "a number", [&](const Value& v) {
      const auto* f = std::get_if<double>(&v.data);
      const auto* i = std::get_if<std::int64_t>(&v.data);
      if (f) value = *f;
      if (i) value = static_cast<double>(*i);
      return f || i;
    });
    check_range(name, value, info);
  }

  void field(const std::string& name, std::string& value, const FieldInfo& info) override {
    std::string text = value;
    read(name, "a string", [&](const Value& v) {
      const auto* s = std::get_if<std::string>(&v.data);
      if (s) text = *s;
      return s != nullptr;
    });
    const auto& choices = info.choices;
    if (!choices.empty() && std::find(choices.begin(), choices.end(), text) == choices.end()) {
      std::string known;
      for (const std::string& choice : choices) known += (known.empty() ? "" : ", ") + choice;
      const std::string near = nearest(text, choices);
      return complain(name, "must be one of " + known + ", but is '" + text + "'",
                      near.empty() ? "" : "did you mean '" + near + "'?");
    }
    value = text;
  }

  void field(const std::string& name, std::vector<std::string>& value, const FieldInfo&) override {
    read_list<std::string>(name, "a list of strings", value);
  }
  void field(const std::string& name, std::vector<std::int64_t>& value, const FieldInfo&) override {
    read_list<std::int64_t>(name, "a list of integers", value);
  }

  void require(bool holds, const std::string& name, const std::string& must, const std::string& hint) override {
    if (!holds) complain(name, must, hint);
  }

  void finish() {
    for (const auto& [key, value] : settings_.values())
      if (!known_.count(key)) problems_.push_back({value.origin, unknown(key, value), suggestion(key)});
    if (!problems_.empty()) throw UsageError(format_problems(problems_));
  }

 private:
  using Setter = std::function<bool(const Value&)>;

  void read(const std::string& name, const char* wanted, const Setter& set) {
    const std::string full = path(name);
    known_.insert(full);
    const auto found = settings_.values().find(full);
    if (found == settings_.values().end() || set(found->second)) return;
    complain(name, std::string("must be ") + wanted + ", but is " + found->second.type_name() + ": " +
                       found->second.toml());
  }

  template <class Element>
  void read_list(const std::string& name, const char* wanted, std::vector<Element>& value) {
    read(name, wanted, [&](const Value& v) {
      std::vector<Element> read;
      if (const auto* list = std::get_if<ValueList>(&v.data)) {
        for (const Value& element : *list) {
          const auto* e = std::get_if<Element>(&element.data);
          if (!e) return false;
          read.push_back(*e);
        }
      } else if (const auto* one = std::get_if<Element>(&v.data)) {  // command line: a, or a,b
        if (!v.origin.file.empty()) return false;
        read = split(*one);
      } else {
        return false;
      }
      value = read;
      return true;
    });
  }

  static std::vector<std::int64_t> split(std::int64_t one) { return {one}; }
  static std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t comma = std::min(text.find(',', begin), text.size());
      parts.push_back(text.substr(begin, comma - begin));
      begin = comma + 1;
    }
    return parts;
  }

  void check_range(const std::string& name, double value, const FieldInfo& info) {
    if (value >= info.min && value <= info.max) return;
    std::string range = info.max > 1e300 ? "at least " + shown_number(info.min)
                                         : "between " + shown_number(info.min) + " and " + shown_number(info.max);
    complain(name, "must be " + range + ", but is " + shown_number(value));
  }

  void complain(const std::string& name, const std::string& message, const std::string& hint = "") {
    const std::string full = path(name);
    const auto found = settings_.values().find(full);
    Origin origin;
    if (found != settings_.values().end()) origin = found->second.origin;
    problems_.push_back({origin, "'" + full + "' " + message, hint});
  }

  static std::string unknown(const std::string& key, const Value& value) {
    return "unknown key '" + (value.origin.arm.empty() ? "" : "arms." + value.origin.arm + ".") + key + "'";
  }

  std::string suggestion(const std::string& key) const {
    const std::vector<std::string> known(known_.begin(), known_.end());
    const std::string near = nearest(key, known);
    std::string text = near.empty() ? "" : "did you mean '" + near + "'? ";
    const std::string table = key.substr(0, key.rfind('.') == std::string::npos ? 0 : key.rfind('.') + 1);
    std::string valid;
    for (const std::string& k : known)
      if (k.rfind(table, 0) == 0 && k.find('.', table.size()) == std::string::npos) valid += " " + k.substr(table.size());
    if (!valid.empty() && !table.empty())
      text += "valid keys in [" + table.substr(0, table.size() - 1) + "]:" + valid;
    return text;
  }

  const Settings& settings_;
  std::set<std::string> known_;
  std::vector<Problem> problems_;
};

class Collector : public PathVisitor {
 public:
  explicit Collector(const Settings& settings) : settings_(settings) {}

  void field(const std::string& name, bool& v, const FieldInfo& i) override { add(name, {v, {}}, i); }
  void field(const std::string& name, std::int64_t& v, const FieldInfo& i) override { add(name, {v, {}}, i); }
  void field(const std::string& name, double& v, const FieldInfo& i) override { add(name, {v, {}}, i); }
  void field(const std::string& name, std::string& v, const FieldInfo& i) override { add(name, {v, {}}, i); }
  void field(const std::string& name, std::vector<std::string>& v, const FieldInfo& i) override {
    add_list(name, v, i);
  }
  void field(const std::string& name, std::vector<std::int64_t>& v, const FieldInfo& i) override {
    add_list(name, v, i);
  }
  void require(bool, const std::string&, const std::string&, const std::string&) override {}

  std::vector<FieldState> fields;

 private:
  template <class Element>
  void add_list(const std::string& name, const std::vector<Element>& values, const FieldInfo& info) {
    ValueList list;
    for (const Element& e : values) list.push_back({e, {}});
    add(name, {list, {}}, info);
  }

  void add(const std::string& name, Value value, const FieldInfo& info) {
    const std::string full = path(name);
    const auto found = settings_.values().find(full);
    const std::string origin =
        found == settings_.values().end() ? "default" : found->second.origin.text();
    fields.push_back({full, std::move(value), origin, info});
  }

  const Settings& settings_;
};

}  // namespace

void read_settings(const Settings& settings, Configurable& target) {
  Reader reader(settings);
  target.fields(reader);
  reader.finish();
}

std::vector<FieldState> resolved_fields(const Settings& settings, Configurable& target) {
  Collector collector(settings);
  target.fields(collector);
  return collector.fields;
}

std::string to_toml(const std::vector<FieldState>& fields) {
  std::string text, table;
  for (const bool top_level : {true, false}) {  // TOML wants keys without a table first
    for (const FieldState& field : fields) {
      const std::size_t dot = field.path.rfind('.');
      if ((dot == std::string::npos) != top_level) continue;
      const std::string owner = top_level ? "" : field.path.substr(0, dot);
      if (owner != table) text += "\n[" + (table = owner) + "]\n";
      std::string line = field.path.substr(top_level ? 0 : dot + 1) + " = " + field.value.toml();
      line.resize(std::max<std::size_t>(line.size() + 2, 40), ' ');
      text += line + "# " + field.origin + "\n";
    }
  }
  return text;
}

std::string canonical_text(const std::vector<FieldState>& fields) {
  std::vector<std::string> lines;
  for (const FieldState& field : fields)
    if (field.info.hashed) lines.push_back(field.path + "=" + field.value.toml() + "\n");
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

}  // namespace bitlab
