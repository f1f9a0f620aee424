#pragma once
// From settings to typed structs and back: reading, printing, hashing.
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/config/fields.h"
#include "core/config/problems.h"
#include "core/config/settings.h"

namespace bitlab {

// Fills config structs from settings and collects what is wrong. One reader takes all arms of an
// experiment: a setting of them all may be one that only some have (model.bitlinear.norm where only
// one arm is ternary).
class ConfigReader {
 public:
  // Problems go here; it must outlive the reader.
  explicit ConfigReader(Problems& problems) : problems_(problems) {}

  // Sets the fields of `target` that `settings` has; the others keep their values. A value of a
  // wrong type, out of its range or not among the choices becomes a problem, its field keeps its
  // value; so does a rule that does not hold. An integer is taken where a number is wanted, never
  // the reverse. The command line may give a list as a,b, and what it says is taken for a string
  // where a string is wanted. Returns where each set field was set, by path: "configs/x.toml:7",
  // "arm NAME (configs/x.toml:9)", "command line".
  std::map<std::string, std::string> read(const Settings& settings, Configurable& target);

  // Reports the settings that no read() had a field for, each with what was probably meant. Call
  // once, at the end.
  void report_unknown();

 private:
  struct Seen {
    Setting setting;
    bool known = false;
  };

  void report_unknown(const std::string& path, const Setting& setting);

  Problems& problems_;
  std::map<std::pair<Place, std::string>, Seen> seen_;  // by the place of the key, and the path
  std::set<std::string> fields_;                        // all valid paths
  std::set<std::string> tables_;
};

// Fills one struct. Throws one UsageError with all problems.
std::map<std::string, std::string> read_settings(const Settings& settings, Configurable& target);

// One field as it stands in a struct.
struct FieldState {
  std::string path;  // "optim.lr"
  std::string type;  // boolean, integer, number, string, list of strings, list of integers
  std::string
      toml;  // the value as TOML; floats by the shortest digits that read back to the same bits
  std::string origin;  // "default", or where it was set
  FieldInfo info;
};

// All fields of `target` in the order in which it declares them. `origins` are those that the
// reader returned.
std::vector<FieldState> list_fields(Configurable& target,
                                    const std::map<std::string, std::string>& origins = {});

// As TOML that reads back to the same values, each with its origin as a comment.
std::string to_toml(const std::vector<FieldState>& fields);

// The fields that decide a result, one `path = value` a line in the order of the paths: what a
// run's hash is taken of.
std::string canonical_text(const std::vector<FieldState>& fields);

}  // namespace bitlab
