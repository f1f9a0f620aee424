// What the arms were set to: config.toml of the first run of each that has one.
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "core/base/error.h"
#include "core/config/load.h"
#include "report/html_parts.h"
#include "report/html_text.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

struct Written {
  std::string value, origin;
};

struct ArmSettings {
  std::string name;
  std::map<std::string, Written> values;  // by path
};

constexpr std::size_t kArmsAsColumns = 4;  // more arms than that are rows
// Of the experiment and not of a run.
const std::set<std::string> kNotSettings = {"title",    "question", "claim",  "seeds",
                                            "baseline", "analyses", "extends"};

// The comment on the line of a setting: where it came from when the run was made.
std::string origin_of(const Setting& setting) {
  std::istringstream lines(setting.value.place.source->text);
  std::string line;
  for (std::size_t i = 0; i < setting.value.place.line; ++i) std::getline(lines, line);
  const std::size_t value = line.find(setting.value.written);
  const std::size_t mark =
      value == line.npos ? value : line.find("# ", value + setting.value.written.size());
  return mark == line.npos ? "" : line.substr(mark + 2);
}

ArmSettings read_settings(const std::string& arm, const fs::path& file) {
  ArmSettings settings{arm, {}};
  for (const auto& [path, setting] : load_config(file, {}, file.parent_path()).file)
    if (!setting.table && !kNotSettings.contains(path))
      settings.values[path] = {setting.value.written, origin_of(setting)};
  return settings;
}

// Those of the arms that have started; `missing` gets the others, and why.
std::vector<ArmSettings> settings_of(const Results& results, std::vector<std::string>& missing) {
  std::vector<ArmSettings> all;
  for (const ArmResult& arm : results.arms) {
    const auto started = std::find_if(arm.runs.begin(), arm.runs.end(), [&](const SeedResult& r) {
      return fs::exists(results.folder / arm.dir / ("seed-" + std::to_string(r.seed)) /
                        "config.toml");
    });
    if (started == arm.runs.end()) {
      missing.push_back(arm.name + " has not started");
      continue;
    }
    try {
      all.push_back(read_settings(
          arm.name,
          results.folder / arm.dir / ("seed-" + std::to_string(started->seed)) / "config.toml"));
    } catch (const Error& e) {
      missing.push_back(arm.name + ": " + e.what());
    }
  }
  return all;
}

const Written& value_in(const ArmSettings& arm, const std::string& path) {
  static const Written none{"–", ""};
  const auto found = arm.values.find(path);
  return found == arm.values.end() ? none : found->second;
}

std::string differing_table(const std::vector<ArmSettings>& arms,
                            const std::vector<std::string>& paths) {
  const bool arms_as_rows = arms.size() > kArmsAsColumns;
  std::vector<std::string> heads = {arms_as_rows ? "arm" : "setting"};
  std::vector<std::vector<Cell>> rows;
  if (arms_as_rows) {
    heads.insert(heads.end(), paths.begin(), paths.end());
    for (const ArmSettings& arm : arms) {
      rows.push_back({{arm.name}});
      for (const std::string& path : paths) rows.back().push_back({value_in(arm, path).value});
    }
  } else {
    for (const ArmSettings& arm : arms) heads.push_back(arm.name);
    for (const std::string& path : paths) {
      rows.push_back({{path}});
      for (const ArmSettings& arm : arms) rows.back().push_back({value_in(arm, path).value});
    }
  }
  return html_table("differing", heads, rows, arms_as_rows);
}

std::string shared_table(const ArmSettings& arm, const std::vector<std::string>& paths) {
  std::vector<std::vector<Cell>> rows;
  for (const std::string& path : paths) {
    const Written& written = value_in(arm, path);
    rows.push_back({{path}, {written.value}, {written.origin}});
  }
  return html_table("shared", {"setting", "value", "from"}, rows, false);
}

}  // namespace

std::string settings_html(const Results& results) {
  std::vector<std::string> missing;
  const std::vector<ArmSettings> arms = settings_of(results, missing);
  std::set<std::string> paths;
  for (const ArmSettings& arm : arms)
    for (const auto& [path, written] : arm.values) paths.insert(path);
  std::vector<std::string> shared, differing;
  for (const std::string& path : paths) {
    const std::string& first = value_in(arms.front(), path).value;
    const bool same = std::all_of(arms.begin(), arms.end(), [&](const ArmSettings& arm) {
      return value_in(arm, path).value == first;
    });
    (same ? shared : differing).push_back(path);
  }
  std::string out;
  if (!differing.empty()) out += "<h3>What differs</h3>\n" + differing_table(arms, differing);
  if (!shared.empty())
    out += "<details><summary>What all arms share (" + std::to_string(shared.size()) +
           " settings)</summary>\n" + shared_table(arms.front(), shared) + "</details>\n";
  for (const std::string& line : missing) out += "<p>" + escape_html(line) + "</p>\n";
  return out;
}

}  // namespace bitlab
