#include "report/index.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "core/base/files.h"
#include "core/config/read_fields.h"
#include "report/json_value.h"

namespace bitlab {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::size_t kHashLength = 8;

// "babyBitNet-a636e21d" -> "a636e21d"; empty if the name has no such end.
std::string hash_of_dir(const std::string& name) {
  if (name.size() < kHashLength + 2 || name[name.size() - kHashLength - 1] != '-') return "";
  const std::string hash = name.substr(name.size() - kHashLength);
  return hash.find_first_not_of("0123456789abcdef") == std::string::npos ? hash : "";
}

std::optional<std::int64_t> seed_of_dir(const std::string& name) {
  if (!name.starts_with("seed-")) return std::nullopt;
  std::int64_t seed = 0;
  const char* const end = name.data() + name.size();
  const auto read = std::from_chars(name.data() + 5, end, seed);
  return read.ec == std::errc() && read.ptr == end ? std::optional(seed) : std::nullopt;
}

std::string run_id(const std::string& hash, std::int64_t seed) {
  return hash + "-" + std::to_string(seed);
}

// A courtesy to the reader of a list: what cannot be read is not known.
json read_provenance(const fs::path& dir) {
  if (!fs::exists(dir / "provenance.json")) return json::object();
  json provenance = json::parse(read_file(dir / "provenance.json"), nullptr, false);
  return provenance.is_object() ? provenance : json::object();
}

std::string build_of(const json& provenance) {
  return value_or<std::string>(value_or(provenance, "build", json::object()), "git", "");
}

DataUsed data_of(const json& provenance) {
  const json facts = value_or(provenance, "data", json::object());
  DataUsed data;
  data.val_tokens = value_or<std::int64_t>(facts, "val_tokens", 0);
  data.val_bytes = value_or<std::int64_t>(facts, "val_bytes", 0);
  return data;
}

void read_settings_of(RunRecord& record) {
  for (const SweptValue& swept : record.axes)
    record.settings[swept.path] = {swept.number ? swept.text : json(swept.text).dump(), "sweep"};
  if (!fs::exists(record.run.dir / "config.toml")) return;
  for (PrintedField& field : read_fields(read_file(record.run.dir / "config.toml")))
    record.settings[field.path] = {std::move(field.toml), std::move(field.origin)};
}

RunRecord record_of(const Results& results, const ArmResult& arm, const SeedResult& run) {
  RunRecord record;
  record.id = run_id(arm.hash.empty() ? hash_of_dir(arm.dir) : arm.hash, run.seed);
  record.experiment = results.experiment;
  record.arm = arm.name;
  record.base = arm.base;
  record.axes = arm.axes;
  record.params = arm.params;
  record.ternary_params = arm.ternary_params;
  record.run = run;
  record.run.train.clear();
  record.run.eval.clear();
  record.val_bits_per_byte = results.data.val_bits_per_byte(final_val_loss(run));
  read_settings_of(record);
  record.build = build_of(read_provenance(record.run.dir));
  return record;
}

// The arm that run_config() of experiments/plan.h names in the first line; else what the folder is
// called.
std::string arm_in_config(const fs::path& dir, const std::string& otherwise) {
  constexpr std::string_view kMark = "# arm ";
  if (!fs::exists(dir / "config.toml")) return otherwise;
  const std::string text = read_file(dir / "config.toml");
  return text.starts_with(kMark) ? text.substr(kMark.size(), text.find('\n') - kMark.size())
                                 : otherwise;
}

std::vector<fs::path> folders_in(const fs::path& dir) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(dir, error))
    if (entry.is_directory(error)) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  return folders;
}

}  // namespace

std::vector<RunRecord> index_runs(const Results& results) {
  std::vector<RunRecord> records;
  std::set<fs::path> planned;
  for (const ArmResult& arm : results.arms)
    for (const SeedResult& run : arm.runs) {
      records.push_back(record_of(results, arm, run));
      planned.insert(records.back().run.dir);
    }
  for (const RunPlace& place : run_places(results.folder))
    if (!planned.contains(place.dir)) {
      records.push_back(lone_run(place.dir));
      records.back().experiment = results.experiment;
    }
  return records;
}

std::vector<RunRecord> planned_runs(std::vector<RunRecord> runs) {
  std::erase_if(runs, [](const RunRecord& run) { return !run.planned; });
  return runs;
}

RunRecord lone_run(const fs::path& dir) {
  const std::string folder = dir.parent_path().filename().string();
  const std::string hash = hash_of_dir(folder);
  const std::string name = dir.filename().string();
  const bool set_aside = name.ends_with(".old");  // by --rerun
  const std::int64_t seed =
      seed_of_dir(set_aside ? name.substr(0, name.size() - 4) : name).value_or(0);
  RunRecord record;
  if (!hash.empty()) {
    record.id = set_aside ? hash + "/" + name : run_id(hash, seed);
    record.experiment = dir.parent_path().parent_path().filename().string();
    record.base = folder.substr(0, folder.size() - kHashLength - 1);
  } else {
    record.id = name;  // imported or exported: of no experiment here
  }
  record.arm = arm_in_config(dir, record.base);
  record.planned = false;
  record.run = load_run(dir, seed, 0, 0, Metrics::None);
  read_settings_of(record);
  const json provenance = read_provenance(dir);
  record.val_bits_per_byte = data_of(provenance).val_bits_per_byte(final_val_loss(record.run));
  record.build = build_of(provenance);
  return record;
}

std::vector<RunRecord> read_index(const fs::path& results_folder) {
  return index_runs(load_results(results_folder, Metrics::None));
}

std::vector<fs::path> experiment_folders(const fs::path& root) {
  std::vector<fs::path> folders;
  for (const fs::path& folder : folders_in(root))
    if (fs::exists(folder / "plan.json")) folders.push_back(folder);
  return folders;
}

std::vector<RunPlace> run_places(const fs::path& results_folder) {
  std::vector<RunPlace> places;
  for (const fs::path& arm : folders_in(results_folder)) {
    const std::string hash = hash_of_dir(arm.filename().string());
    if (hash.empty()) continue;
    for (const fs::path& dir : folders_in(arm))
      if (const auto seed = seed_of_dir(dir.filename().string()))
        places.push_back({run_id(hash, *seed), results_folder.filename().string(), dir});
  }
  return places;
}

}  // namespace bitlab
