// What the arms were set to: config.toml of the first run of each that has one.
#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "core/base/error.h"
#include "core/config/load.h"
#include "report/html_parts.h"
#include "report/html_text.h"
#include "report/sweep_axes.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

struct Written {
  std::string value, origin;
  bool operator==(const Written& other) const { return value == other.value; }
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

// Of the first run of an arm that has its settings.
std::optional<fs::path> config_of(const Results& results, const ArmResult& arm) {
  for (const SeedResult& run : arm.runs) {
    const fs::path file =
        results.folder / arm.dir / ("seed-" + std::to_string(run.seed)) / "config.toml";
    if (fs::exists(file)) return file;
  }
  return std::nullopt;
}

// Those of the arms that have started, without what a sweep varies; arms at several points of a
// sweep that agree in all else count as the one arm that they are in the experiment's file.
// `missing` gets the others, and why.
std::vector<ArmSettings> settings_of(const Results& results, std::vector<std::string>& missing) {
  std::vector<ArmSettings> all;
  std::vector<std::string> bases;
  for (const ArmResult& arm : results.arms) {
    const std::optional<fs::path> file = config_of(results, arm);
    if (!file) {
      missing.push_back(arm.name + " has not started");
      continue;
    }
    try {
      ArmSettings settings = read_settings(arm.name, *file);
      for (const SweptValue& axis : arm.axes) settings.values.erase(axis.path);
      const std::string base = base_of(arm);
      const auto same = [&](const ArmSettings& other) { return other.values == settings.values; };
      const auto found = std::find_if(all.begin(), all.end(), same);
      if (!arm.axes.empty() && found != all.end() &&
          bases[static_cast<std::size_t>(found - all.begin())] == base) {
        found->name = base;
        continue;
      }
      all.push_back(std::move(settings));
      bases.push_back(base);
    } catch (const Error& e) {
      missing.push_back(arm.name + ": " + e.what());
    }
  }
  return all;
}

// "optim.lr: 0.0003, 0.001, 0.003", a line each.
std::string swept_html(const Results& results) {
  std::vector<std::pair<std::string, std::vector<std::string>>> axes;
  for (const ArmResult& arm : results.arms)
    for (const SweptValue& value : arm.axes) {
      auto axis = std::find_if(axes.begin(), axes.end(),
                               [&](const auto& known) { return known.first == value.path; });
      if (axis == axes.end()) axis = axes.insert(axes.end(), {value.path, {}});
      if (std::find(axis->second.begin(), axis->second.end(), value.text) == axis->second.end())
        axis->second.push_back(value.text);
    }
  if (axes.empty()) return "";
  std::string out = "<h3>What is swept</h3>\n<dl>";
  for (const auto& [path, values] : axes) {
    out += "<dt>" + escape_html(path) + "</dt><dd>";
    for (std::size_t i = 0; i < values.size(); ++i)
      out += (i > 0 ? ", " : "") + escape_html(values[i]);
    out += "</dd>\n";
  }
  return out + "</dl>\n";
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
  std::string out = swept_html(results);
  if (!differing.empty()) out += "<h3>What differs</h3>\n" + differing_table(arms, differing);
  if (!shared.empty())
    out += "<details><summary>What all arms share (" + std::to_string(shared.size()) +
           " settings)</summary>\n" + shared_table(arms.front(), shared) + "</details>\n";
  for (const std::string& line : missing) out += "<p>" + escape_html(line) + "</p>\n";
  return out;
}

}  // namespace bitlab
