#include "cli/paths.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "core/base/error.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

fs::path from_environment(const char* variable, const fs::path& otherwise) {
  const char* value = std::getenv(variable);
  return fs::absolute(value != nullptr && *value != '\0' ? fs::path(value) : otherwise)
      .lexically_normal();
}

bool holds_results(const fs::path& folder) { return fs::exists(folder / "plan.json"); }

// "a, b, c": the experiments under `root` that were run.
std::string known_results(const fs::path& root) {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(root, none))
    if (holds_results(entry.path())) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

}  // namespace

fs::path project_root() { return from_environment("BITLAB_HOME", fs::current_path()); }

fs::path results_root() { return from_environment("BITLAB_RESULTS", project_root() / "results"); }

fs::path find_results(const std::string& name) {
  for (const fs::path& folder : {results_root() / name, fs::path(name)})
    if (holds_results(folder)) return fs::absolute(folder).lexically_normal();
  const std::string known = known_results(results_root());
  throw UsageError(
      "results", "must name an experiment that was run, but got '" + name + "'",
      known.empty() ? results_root().string() + " holds none yet; bitlab run NAME makes the first"
                    : results_root().string() + " holds " + known);
}

}  // namespace bitlab
