#include "report/live.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "core/base/sha256.h"
#include "report/html.h"
#include "report/html_data.h"
#include "report/html_text.h"
#include "report/index.h"
#include "report/overview.h"
#include "report/results.h"

namespace bitlab {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using nlohmann::ordered_json;

namespace {

constexpr auto kLeastPause = std::chrono::seconds(2);
constexpr int kPausePerReading = 20;

// Size and time of the files whose change shows on a page.
std::string stamp_of(const fs::path& results_folder) {
  std::string stamp;
  const auto add = [&](const fs::path& path) {
    std::error_code none;
    const auto size = fs::file_size(path, none);
    if (none) return;
    const auto time = fs::last_write_time(path, none).time_since_epoch().count();
    stamp += fmt::format("{} {} {}\n", path.string(), size, time);
  };
  add(results_folder / "plan.json");
  std::vector<fs::path> runs;
  for (const RunPlace& place : run_places(results_folder)) runs.push_back(place.dir);
  for (const fs::path& run : runs)
    for (const char* name : {"status.json", "progress.json", "metrics.h5", "DONE"}) add(run / name);
  return stamp;
}

std::string update_json(const std::vector<std::pair<std::string, std::string>>& parts,
                        const std::string& data) {
  ordered_json html = ordered_json::object();
  for (const auto& [name, part] : parts) html[name] = part;
  return "{\"parts\":" + html.dump(-1, ' ', false, ordered_json::error_handler_t::replace) +
         ",\"data\":" + data + "}";
}

std::vector<Overview> overviews(const fs::path& root) {
  std::vector<Overview> all;
  for (const fs::path& folder : experiment_folders(root)) all.push_back(overview(folder));
  return all;
}

}  // namespace

LiveResults::LiveResults(fs::path results_root) : root_(std::move(results_root)) {}

std::optional<fs::path> LiveResults::folder_of(const std::string& name) const {
  for (const fs::path& folder : experiment_folders(root_))
    if (folder.filename() == name) return folder;
  return std::nullopt;
}

Snapshot LiveResults::refreshed(const std::string& key, const Read& stamp, const Read& read) {
  Entry& entry = entries_[key];
  const auto begin = Clock::now();
  if (begin < entry.next) return entry.snapshot;
  const std::string now = stamp();
  if (now != entry.stamp || entry.snapshot.tag.empty()) {
    entry.snapshot.text = read();
    entry.snapshot.tag = "\"" + sha256_hex(entry.snapshot.text).substr(0, 16) + "\"";
    entry.stamp = now;
  }
  const auto end = Clock::now();
  entry.next = end + std::max<Clock::duration>(kLeastPause, kPausePerReading * (end - begin));
  return entry.snapshot;
}

std::string LiveResults::index_page() {
  const std::lock_guard lock(mutex_);
  return html_index(overviews(root_), "/api/experiments");
}

Snapshot LiveResults::index_update() {
  const std::lock_guard lock(mutex_);
  const auto stamp = [&] {
    std::string all;
    for (const fs::path& folder : experiment_folders(root_)) all += stamp_of(folder);
    return all;
  };
  return refreshed("", stamp, [&] {
    return update_json({{"experiments", experiments_html(overviews(root_))}}, "null");
  });
}

std::optional<std::string> LiveResults::experiment_page(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const std::optional<fs::path> folder = folder_of(name);
  if (!folder) return std::nullopt;
  return html_page(load_results(*folder), {}, "/api/experiments/" + percent_encoded(name));
}

std::optional<Snapshot> LiveResults::experiment_update(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const std::optional<fs::path> folder = folder_of(name);
  if (!folder) return std::nullopt;
  return refreshed(
      name, [&] { return stamp_of(*folder); },
      [&] {
        const Results results = load_results(*folder);
        return update_json(page_parts(results),
                           has_interactive_curves() ? page_data(results) : "null");
      });
}

}  // namespace bitlab
