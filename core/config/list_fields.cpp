// The part of resolve.h that looks at structs: printing and hashing.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "core/config/path_visitor.h"
#include "core/config/resolve.h"

namespace bitlab {

namespace {

std::string to_toml(bool x) { return x ? "true" : "false"; }
std::string to_toml(std::int64_t x) { return std::to_string(x); }

std::string to_toml(double x) {
  if (std::isnan(x)) return "nan";
  if (std::isinf(x)) return x < 0 ? "-inf" : "inf";
  char buffer[64];
  char* const end = std::to_chars(buffer, buffer + sizeof buffer, x).ptr;
  const std::string text(buffer, end);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string to_toml(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04X", static_cast<unsigned>(c));
      out += escape;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

template <class Element>
std::string to_toml(const std::vector<Element>& list) {
  std::string out = "[";
  for (const Element& element : list) out += (out.size() > 1 ? ", " : "") + to_toml(element);
  return out + "]";
}

class FieldLister : public PathVisitor {
 public:
  explicit FieldLister(const std::map<std::string, std::string>& origins) : origins_(origins) {}

  void field(const std::string& name, bool& v, const FieldInfo& i) override {
    add(name, "boolean", v, i);
  }
  void field(const std::string& name, std::int64_t& v, const FieldInfo& i) override {
    add(name, "integer", v, i);
  }
  void field(const std::string& name, double& v, const FieldInfo& i) override {
    add(name, "number", v, i);
  }
  void field(const std::string& name, std::string& v, const FieldInfo& i) override {
    add(name, "string", v, i);
  }
  void field(const std::string& name, std::vector<std::string>& v, const FieldInfo& i) override {
    add(name, "list of strings", v, i);
  }
  void field(const std::string& name, std::vector<std::int64_t>& v, const FieldInfo& i) override {
    add(name, "list of integers", v, i);
  }
  void require(bool, const std::string&, const std::string&, const std::string&) override {}

  std::vector<FieldState> fields;

 private:
  template <class T>
  void add(const std::string& name, const char* type, const T& value, const FieldInfo& info) {
    const std::string full = path(name);
    const auto origin = origins_.find(full);
    fields.push_back(
        {full, type, to_toml(value), origin == origins_.end() ? "default" : origin->second, info});
  }

  const std::map<std::string, std::string>& origins_;
};

constexpr std::size_t kWidestAligned = 60;  // longer lines do not push all comments to the right

}  // namespace

std::vector<FieldState> list_fields(Configurable& target,
                                    const std::map<std::string, std::string>& origins) {
  FieldLister lister(origins);
  target.fields(lister);
  return lister.fields;
}

std::string to_toml(const std::vector<FieldState>& fields) {
  std::vector<std::string> tables = {
      ""};  // in the order of the struct, keys without a table first as TOML wants
  std::size_t width = 0;
  for (const FieldState& f : fields) {
    if (std::find(tables.begin(), tables.end(), table_of(f.path)) == tables.end())
      tables.push_back(table_of(f.path));
    const std::size_t line = key_of(f.path).size() + 3 + f.toml.size();
    if (line <= kWidestAligned) width = std::max(width, line);
  }
  std::string text;
  for (const std::string& table : tables) {
    if (!table.empty()) text += (text.empty() ? "[" : "\n[") + table + "]\n";
    for (const FieldState& f : fields) {
      if (table_of(f.path) != table) continue;
      std::string line = key_of(f.path) + " = " + f.toml;
      line.resize(std::max(line.size(), width), ' ');
      text += line + "  # " + f.origin + "\n";
    }
  }
  return text;
}

std::string canonical_text(const std::vector<FieldState>& fields) {
  std::vector<std::string> lines;
  for (const FieldState& f : fields)
    if (f.info.hashed) lines.push_back(f.path + " = " + f.toml + "\n");
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

}  // namespace bitlab
