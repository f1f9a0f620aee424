#pragma once
// Values by dotted path, each with the place it came from: what TOML files, arms and the command line say, before any
// config struct has looked at it.
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace bitlab {

// Where a value was written. No file: the command line.
struct Origin {
  std::string file;           // as shown to the user
  std::size_t line = 0, column = 0;
  std::string source_line;    // its text
  std::string arm;            // set if an arm said so

  std::string text() const;   // "configs/x.toml:12", "arm babyGPT (configs/x.toml:20)" or "command line"
};

struct Value;
using ValueList = std::vector<Value>;

struct Value {
  std::variant<bool, std::int64_t, double, std::string, ValueList> data;
  Origin origin;

  std::string type_name() const;  // "an integer"
  std::string toml() const;       // as TOML; floats by the shortest digits that read back to the same bits
};

// Written as `name = ...` on the command line or in a file.
class Settings {
 public:
  // Reads a TOML file and, before it, every file that its `extends` names (relative to it; later ones win, the file
  // itself wins last). Files are shown relative to `shown_from` where they lie below it. Throws UsageError with
  // file:line:column for what is no TOML, for values of no use here (dates, arrays of tables), and for circles.
  static Settings load(const std::filesystem::path& file, const std::filesystem::path& shown_from);

  // "optim.lr=1e-3" from the command line: wins over files and arms. The value is read as TOML; what is no TOML is
  // taken for a string. Throws UsageError if there is no '='.
  void assign(const std::string& assignment);

  // Names of the tables [arms.NAME], in the order of the file.
  std::vector<std::string> arms() const;

  // All settings as one arm sees them: [arms.NAME] laid over the rest, the command line over both. For an empty name
  // there must be no arms. Throws UsageError for a name that is none.
  Settings for_arm(const std::string& name) const;

  const std::map<std::string, Value>& values() const { return values_; }

 private:
  void merge_file(const std::filesystem::path& file, const std::filesystem::path& shown_from,
                  std::vector<std::filesystem::path>& open);
  void put_arm(const std::string& name, const Origin& origin);

  std::map<std::string, Value> values_;             // leaves of files, by full path
  std::map<std::string, Value> assigned_;           // from the command line
  std::vector<std::string> arms_;
};

}  // namespace bitlab
