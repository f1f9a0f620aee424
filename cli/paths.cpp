#include "cli/paths.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "core/base/error.h"
#include "core/config/suggest.h"
#include "report/index.h"

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
  std::string list;
  for (const fs::path& folder : experiment_folders(root))
    list += (list.empty() ? "" : ", ") + folder.filename().string();
  return list;
}

}  // namespace

namespace {

// Where configs/ is: here, else where this program was installed with its own, else here too.
fs::path place_of_configs() {
  const fs::path here = fs::current_path();
  if (fs::is_directory(here / "configs")) return here;
  std::error_code none;
  const fs::path program = fs::read_symlink("/proc/self/exe", none);
  const fs::path installed = program.parent_path().parent_path() / BITLAB_DATA;
  return fs::is_directory(installed / "configs", none) ? installed : here;
}

}  // namespace

fs::path project_root() { return from_environment("BITLAB_HOME", place_of_configs()); }

fs::path results_root() {
  return from_environment("BITLAB_RESULTS",
                          from_environment("BITLAB_HOME", fs::current_path()) / "results");
}

fs::path find_results(const std::string& name) {
  for (const fs::path& folder : {results_root() / name, fs::path(name)})
    if (holds_results(folder)) return fs::absolute(folder).lexically_normal();
  const std::string known = known_results(results_root());
  throw UsageError(
      "results", "must name an experiment that was run, but got '" + name + "'",
      known.empty() ? results_root().string() + " holds none yet; bitlab run NAME makes the first"
                    : results_root().string() + " holds " + known);
}

namespace {

std::string listed(const std::vector<RunPlace>& places) {
  constexpr std::size_t kMost = 10;
  std::string list;
  for (std::size_t i = 0; i < std::min(places.size(), kMost); ++i)
    list += (i > 0 ? ", " : "") + places[i].experiment + "/" + places[i].id;
  if (places.size() > kMost) list += " and " + std::to_string(places.size() - kMost) + " more";
  return list;
}

// The run whose id begins with `prefix`, or is it. Empty if there is none.
fs::path find_by_id(const std::vector<fs::path>& experiments,
                    const std::string& prefix,
                    const std::string& name) {
  std::vector<RunPlace> found, exact;
  for (const fs::path& results : experiments)
    for (const RunPlace& place : run_places(results)) {
      if (place.id == prefix) exact.push_back(place);
      if (place.id.starts_with(prefix)) found.push_back(place);
    }
  if (!exact.empty()) found = exact;
  if (found.empty()) return {};
  if (found.size() > 1)
    throw UsageError("run",
                     "'" + name + "' must mean one run, but " + std::to_string(found.size()) +
                         " begin so: " + listed(found),
                     "give more of it");
  return found.front().dir;
}

// Of the arm with that name, the run with that seed, or the first; empty if there is no such arm.
fs::path find_by_arm(const Results& results,
                     const std::string& name,
                     const std::string& arm_name,
                     const std::string& seed) {
  for (const ArmResult& arm : results.arms) {
    if (arm.name != arm_name) continue;
    const std::string wanted =
        seed.empty() && !arm.runs.empty() ? std::to_string(arm.runs.front().seed) : seed;
    const fs::path run = results.folder / arm.dir / ("seed-" + wanted);
    if (fs::exists(run / "config.toml")) return run;
    std::string seeds;
    for (const SeedResult& one : arm.runs)
      seeds += (seeds.empty() ? "" : ", ") + std::to_string(one.seed);
    throw UsageError(
        "run", "'" + name + "' must have one of the seeds " + seeds + " and have been started");
  }
  return {};
}

[[noreturn]] void refuse_arm(const Results& results, const std::string& name) {
  std::vector<std::string> names;
  std::string arms;
  for (const ArmResult& arm : results.arms) {
    names.push_back(arm.name);
    arms += (arms.empty() ? "" : ", ") + arm.name;
  }
  const std::string guess = nearest(name, names);
  throw UsageError(
      "run",
      "the arm must be one of " + arms + ", or the beginning of a run's id, but got '" + name + "'",
      guess.empty() ? "" : "did you mean '" + guess + "'?");
}

}  // namespace

fs::path find_run(const std::string& name) {
  if (fs::exists(fs::path(name) / "config.toml")) {
    const fs::path run = fs::absolute(name).lexically_normal();
    return run.has_filename() ? run : run.parent_path();  // "run/"
  }
  const std::size_t first = name.find('/'), last = name.rfind('/');
  if (first == std::string::npos) {
    const fs::path run =
        name.empty() ? fs::path() : find_by_id(experiment_folders(results_root()), name, name);
    if (!run.empty()) return run;
    throw UsageError("run",
                     "must be the beginning of a run's id, EXPERIMENT/ARM[/SEED] or a run folder, "
                     "but got '" +
                         name + "'",
                     "bitlab ls NAME lists the runs of an experiment");
  }
  const fs::path folder = find_results(name.substr(0, first));
  const Results results = load_results(folder, Metrics::None);
  const std::string rest = name.substr(first + 1);
  if (fs::path run = find_by_arm(results, name, rest, ""); !run.empty()) return run;
  if (last > first)
    if (fs::path run = find_by_arm(results, name, name.substr(first + 1, last - first - 1),
                                   name.substr(last + 1));
        !run.empty())
      return run;
  if (fs::path run = find_by_id({folder}, rest, name); !rest.empty() && !run.empty()) return run;
  refuse_arm(results, rest.substr(0, rest.find('/')));
}

}  // namespace bitlab
