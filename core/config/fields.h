#pragma once
// How a config struct declares its fields, once. Parsing, validation, printing, hashing,
// documentation and shell completion all come from that one declaration (see toml.h, resolve.h).
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace bitlab {

// What is known of a field beside its name and its default (the value that the struct holds when
// visited).
struct FieldInfo {
  std::string help;                                       // one line, lower case, no full stop
  double min = -std::numeric_limits<double>::infinity();  // inclusive, numbers only
  double max = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices = {};  // strings only; empty: anything
  bool hashed = true;         // false: does not change the result (titles, log intervals)
  std::string registry = {};  // kind of the registry (core/base/registry.h) that the value names an
                              // entry of, or each item of a list; its version enters the run id
};

// Visits the fields of a config struct. A reader replaces the values, a printer only looks at them.
class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;

  virtual void field(const std::string& name, bool& value, const FieldInfo& info) = 0;
  virtual void field(const std::string& name, std::int64_t& value, const FieldInfo& info) = 0;
  virtual void field(const std::string& name, double& value, const FieldInfo& info) = 0;
  virtual void field(const std::string& name, std::string& value, const FieldInfo& info) = 0;
  virtual void field(const std::string& name,
                     std::vector<std::string>& value,
                     const FieldInfo& info) = 0;
  virtual void field(const std::string& name,
                     std::vector<std::int64_t>& value,
                     const FieldInfo& info) = 0;

  // Fields between begin and end live in the table `name`.
  virtual void begin(const std::string& name, const std::string& help) = 0;
  virtual void end() = 0;

  // States a rule between fields, for the field `name` of the current table. A reader reports a
  // broken rule at the place where the field was set; other visitors ignore it.
  virtual void require(bool holds,
                       const std::string& name,
                       const std::string& must,
                       const std::string& hint) = 0;
};

// A group of settings: a plugin's own struct, or a section of the experiment.
class Configurable {
 public:
  virtual ~Configurable() = default;
  virtual void fields(FieldVisitor& v) = 0;
};

// Of what has no settings.
struct NoSettings : Configurable {
  void fields(FieldVisitor&) override {}
};

inline std::unique_ptr<Configurable> no_settings() { return std::make_unique<NoSettings>(); }

}  // namespace bitlab
