#pragma once
// What can be asked of a run by name: facts (state, arm, seed ...), metrics (val_loss ...) and
// settings (optim.lr). Filters, sorting and pivot tables all use these names.
#include <string>
#include <variant>
#include <vector>

#include "report/index.h"

namespace bitlab {

// monostate: the run has no such value.
using RunValue = std::variant<std::monostate, double, std::string>;

bool has_value(const RunValue& value);

// By number or by bytes; numbers come before text, and what has no value comes last.
bool comes_before(const RunValue& a, const RunValue& b);

// Numbers by the shortest digits that read back to the same bits; empty without a value.
std::string to_text(const RunValue& value);

// As people read it, by what `key` means: losses with four digits, durations, sizes.
std::string to_display(const std::string& key, const RunValue& value);

// The value of TOML text: numbers as numbers, strings without quotes, the rest as it stands.
RunValue value_of_toml(const std::string& toml);

struct RunKeyInfo {
  const char* name;
  bool metric;  // a number that a run measures
};

// The names that are no settings, in the order in which help lists them.
const std::vector<RunKeyInfo>& run_keys();
bool is_metric(const std::string& key);
std::string run_keys_help();  // for --help of the verbs that take keys

// Names over a set of runs, whose settings are known.
class RunKeys {
 public:
  explicit RunKeys(const std::vector<RunRecord>& runs);

  // The whole name: of run_keys(), or the path of a setting, which may be given by its end if that
  // is unique ("lr", "bitlinear.norm"). Throws UsageError with `where`; its hint is what was
  // probably meant.
  std::string resolve(const std::string& name, const std::string& where) const;

  // The shortest end of a setting's path that resolve() takes for it; other names as they are.
  std::string short_name(const std::string& key) const;

  // All setting paths, sorted.
  const std::vector<std::string>& settings() const { return settings_; }

 private:
  std::vector<std::string> settings_;
};

// `key`: what resolve() returned. `arm` is the arm's name in the file, without swept settings;
// `plan` is "last", or "earlier" for a run that is no part of the last plan.
RunValue value_of(const RunRecord& run, const std::string& key);

}  // namespace bitlab
