#include "cli/paths.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/base/error.h"
#include "core/base/files.h"

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

fs::path find_run(const std::string& name) {
  if (fs::exists(fs::path(name) / "config.toml")) return fs::absolute(name).lexically_normal();
  std::vector<std::string> parts;
  for (const fs::path& part : fs::path(name)) parts.push_back(part.string());
  if (parts.size() < 2 || parts.size() > 3)
    throw UsageError("run",
                     "must be a run folder or EXPERIMENT/ARM[/SEED], but got '" + name + "'");
  const fs::path results = find_results(parts[0]);
  const auto plan = nlohmann::json::parse(read_file(results / "plan.json"));
  std::string arms;
  for (const auto& arm : plan.at("arms")) {
    const std::string arm_name = arm.at("name");
    arms += (arms.empty() ? "" : ", ") + arm_name;
    if (arm_name != parts[1]) continue;
    const std::string seed = parts.size() == 3 ? parts[2] : arm.at("seeds").at(0).dump();
    const fs::path run = results / arm.at("dir").get<std::string>() / ("seed-" + seed);
    if (!fs::exists(run / "config.toml"))
      throw UsageError("run", "'" + name + "' must have one of the seeds " +
                                  arm.at("seeds").dump() + " and have been started");
    return run;
  }
  throw UsageError("run", "the arm must be one of " + arms + ", but got '" + parts[1] + "'");
}

}  // namespace bitlab
