#include "report/details.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/base/error.h"
#include "core/base/files.h"
#include "report/format.h"
#include "report/run_values.h"

namespace bitlab {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

constexpr std::size_t kLongest = 200;  // characters of a value that are shown

using Facts = std::vector<std::pair<std::string, std::string>>;

std::string cut(const std::string& text) {
  std::string line = text.substr(0, text.find('\n'));
  if (line.size() > kLongest) line.resize(kLongest);
  return line.size() == text.size() ? text : fmt::format("{}... ({} bytes)", line, text.size());
}

// Nested objects by dotted paths, lists of plain values in one line, lists of objects by number.
void flatten(const ordered_json& value, const std::string& path, Facts& facts) {
  const bool deep =
      value.is_object() || (value.is_array() && !value.empty() && value.front().is_object());
  if (!deep) {
    facts.push_back({path, value.is_string() ? value.get<std::string>() : value.dump()});
    return;
  }
  for (const auto& [key, inner] : value.items())
    flatten(inner, path.empty() ? key : path + "." + key, facts);
}

Facts provenance_of(const fs::path& dir) {
  Facts facts;
  if (!fs::exists(dir / "provenance.json")) return facts;
  const auto json = ordered_json::parse(read_file(dir / "provenance.json"), nullptr, false);
  if (json.is_discarded()) return {{"provenance.json", "cannot be read"}};
  flatten(json, "", facts);
  return facts;
}

// What is said elsewhere on the page, or twice.
bool repeated(const std::string& key) {
  for (const char* known : {"experiment", "arm", "seed", "started", "ended"})
    if (key == known) return true;
  return key.starts_with("argv");
}

std::string section(const std::string& title, const Facts& facts) {
  if (facts.empty()) return "";
  std::size_t width = 0;
  for (const auto& [key, value] : facts) width = std::max(width, key.size());
  std::string text = "\n" + title + "\n";
  for (const auto& [key, value] : facts)
    text += fmt::format("  {:<{}}  {}\n", key, width, cut(value));
  return text;
}

Facts standing(const RunRecord& record) {
  const SeedResult& run = record.run;
  Facts facts = {{"state", to_string(run.state) + (run.reason.empty() ? "" : ": " + run.reason)},
                 {"step", fmt::format("{} of {}", run.step, run.steps)}};
  for (const RunKeyInfo& key : run_keys()) {
    const RunValue value = value_of(record, key.name);
    if (key.metric && has_value(value)) facts.push_back({key.name, to_display(key.name, value)});
  }
  if (!run.started.empty()) facts.push_back({"started", run.started});
  if (!run.ended.empty()) facts.push_back({"ended", run.ended});
  return facts;
}

Facts changed_settings(const RunRecord& record) {
  Facts facts;
  for (const auto& [path, setting] : record.settings)
    if (setting.origin != "default")
      facts.push_back({path, setting.toml + "  # " + setting.origin});
  return facts;
}

Facts files_of(const fs::path& dir) {
  Facts facts;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(dir, error))
    if (entry.is_regular_file(error))
      facts.push_back({fs::relative(entry.path(), dir).string(),
                       format_bytes(static_cast<std::int64_t>(entry.file_size(error)))});
  std::sort(facts.begin(), facts.end());
  return facts;
}

std::string find(const Facts& facts, const std::string& key) {
  for (const auto& [name, value] : facts)
    if (name == key) return cut(value);
  return "–";
}

// The keys of both, in the order of the first and then of the second.
std::vector<std::string> keys_of(const Facts& a, const Facts& b) {
  std::vector<std::string> keys;
  std::set<std::string> seen;
  for (const Facts* facts : {&a, &b})
    for (const auto& [key, value] : *facts)
      if (seen.insert(key).second) keys.push_back(key);
  return keys;
}

void compare(const std::string& section,
             const Facts& a,
             const Facts& b,
             std::vector<Difference>& out) {
  for (const std::string& key : keys_of(a, b)) {
    const std::string left = find(a, key), right = find(b, key);
    if (left != right) out.push_back({section, key, left, right, ""});
  }
}

Facts part_of(const Facts& provenance, const std::string& part) {
  Facts facts;
  for (const auto& [key, value] : provenance)
    if (key.starts_with(part + ".")) facts.push_back({key.substr(part.size() + 1), value});
  return facts;
}

Facts settings_of(const RunRecord& run) {
  Facts facts;
  for (const auto& [path, setting] : run.settings) facts.push_back({path, setting.toml});
  return facts;
}

void compare_metrics(const RunRecord& a, const RunRecord& b, std::vector<Difference>& out) {
  for (const RunKeyInfo& key : run_keys()) {
    const RunValue left = value_of(a, key.name), right = value_of(b, key.name);
    if (!key.metric || left == right) continue;
    Difference difference{"metrics", key.name, "–", "–", ""};
    if (has_value(left)) difference.left = to_text(left);
    if (has_value(right)) difference.right = to_text(right);
    const double *x = std::get_if<double>(&left), *y = std::get_if<double>(&right);
    if (x != nullptr && y != nullptr) difference.change = fmt::format("{:+.6g}", *y - *x);
    out.push_back(difference);
  }
}

std::string heading(const RunRecord& run) {
  if (!run.run.imported.empty()) return run.run.dir.filename().string() + "  imported";
  if (run.experiment.empty()) return run.id + "  " + run.arm;
  return fmt::format("{}/{}  {} seed {}", run.experiment, run.id, run.arm, run.run.seed);
}

}  // namespace

RunRecord read_run(const fs::path& dir) {
  const fs::path results = dir.parent_path().parent_path();
  if (fs::exists(results / "plan.json"))
    for (const RunRecord& record : read_index(results))
      if (record.run.dir == dir) return record;
  return lone_run(dir);
}

std::string run_details(const RunRecord& run) {
  Facts provenance;
  for (const auto& [key, value] : provenance_of(run.run.dir))
    if (!repeated(key)) provenance.push_back({key, value});
  return heading(run) + "\n" + run.run.dir.string() + "\n" + section("Result", standing(run)) +
         section("Settings that are not the default", changed_settings(run)) +
         section("Provenance", provenance) + section("Files", files_of(run.run.dir));
}

std::vector<Difference> differences(const RunRecord& left, const RunRecord& right) {
  std::vector<Difference> found;
  const auto facts = [](const RunRecord& run) {
    return Facts{{"experiment", run.experiment},
                 {"arm", run.arm},
                 {"seed", std::to_string(run.run.seed)},
                 {"state", to_string(run.run.state)},
                 {"reason", run.run.reason}};
  };
  compare("run", facts(left), facts(right), found);
  compare("settings", settings_of(left), settings_of(right), found);
  const Facts a = provenance_of(left.run.dir), b = provenance_of(right.run.dir);
  for (const char* part : {"data", "build", "machine", "environment"})
    compare(part, part_of(a, part), part_of(b, part), found);
  compare_metrics(left, right, found);
  return found;
}

std::string differences_text(const RunRecord& left, const RunRecord& right) {
  const std::vector<Difference> found = differences(left, right);
  std::string text = "- " + heading(left) + "\n+ " + heading(right) + "\n";
  if (found.empty()) return text + "\nThe two do not differ.\n";
  TextTable table{{{"", true}, {"-", true}, {"+", true}, {"change"}}, {}};
  std::string section;
  for (const Difference& d : found) {
    if (d.section != section) table.rows.push_back({section = d.section, "", "", ""});
    table.rows.push_back({"  " + d.key, d.left, d.right, d.change});
  }
  return text + "\n" + plain_text(table);
}

}  // namespace bitlab
