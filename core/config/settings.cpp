#include "core/config/settings.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace bitlab {

namespace {

const std::string kArms = "arms.";

bool of_all_arms(const std::string& path) {
  for (const std::string table : {"arms", "sweep"})
    if (path == table || path.starts_with(table + ".")) return false;
  return true;
}

void overlay(Settings& settings, const std::string& path, const Setting& setting) {
  settings.insert_or_assign(path, setting);
}

// What `from` says of all arms, then what it says of this one.
void overlay_arm(Settings& settings, const Settings& from, const std::string& arm) {
  for (const auto& [path, setting] : from)
    if (of_all_arms(path)) overlay(settings, path, setting);
  const std::string prefix = kArms + arm + ".";
  for (const auto& [path, setting] : from) {
    if (arm.empty() || !path.starts_with(prefix)) continue;
    Setting own = setting;
    own.arm = arm;
    overlay(settings, path.substr(prefix.size()), own);
  }
}

}  // namespace

std::string table_of(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string::npos ? "" : path.substr(0, dot);
}

std::string key_of(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string::npos ? path : path.substr(dot + 1);
}

std::string join_path(const std::string& table, const std::string& key) {
  return table.empty() ? key : table + "." + key;
}

std::vector<std::string> arm_names(const LoadedConfig& config) {
  using Written = std::tuple<std::size_t, std::size_t, std::size_t>;  // file, line, column
  std::vector<std::pair<Written, std::string>> found;
  for (const auto& [path, setting] : config.file)
    if (const Place& at = setting.key; setting.table && table_of(path) == "arms")
      found.emplace_back(Written(at.source->merged, at.line, at.column), key_of(path));
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> names;
  for (auto& [written, name] : found) names.push_back(std::move(name));
  return names;
}

Settings settings_below(const Settings& settings, const std::string& table) {
  const std::string prefix = table + ".";
  Settings below;
  for (const auto& [path, setting] : settings)
    if (path.starts_with(prefix)) below.emplace(path.substr(prefix.size()), setting);
  return below;
}

Settings settings_of_arm(const LoadedConfig& config, const std::string& arm) {
  Settings settings;
  overlay_arm(settings, config.file, arm);
  overlay_arm(settings, config.command_line, arm);
  return settings;
}

}  // namespace bitlab
