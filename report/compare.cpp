#include "report/compare.h"

#include <algorithm>
#include <set>

#include "core/base/error.h"

namespace bitlab {

namespace {

// "val_loss" -> "val loss"; settings by the shortest name that is clear.
std::string head_of(const std::string& key, const RunKeys& keys) {
  if (key.find('.') != std::string::npos) return keys.short_name(key);
  if (key == "tokens_per_s") return "tokens/s";
  if (key == "wall_seconds") return "wall time";
  std::string head = key;
  std::replace(head.begin(), head.end(), '_', ' ');
  return head;
}

ValueTable table_of_keys(const std::vector<RunRecord>& runs, const std::vector<std::string>& keys) {
  const RunKeys known(runs);
  ValueTable table;
  for (const std::string& key : keys) table.columns.push_back({key, head_of(key, known)});
  for (const RunRecord& run : runs) {
    auto& row = table.rows.emplace_back();
    for (const std::string& key : keys) row.push_back(value_of(run, key));
  }
  return table;
}

bool has_several_values(const ValueTable& table, std::size_t column) {
  return std::any_of(table.rows.begin(), table.rows.end(),
                     [&](const auto& row) { return row[column] != table.rows.front()[column]; });
}

ValueTable changed_columns(const ValueTable& all) {
  ValueTable table;
  table.rows.resize(all.rows.size());
  for (std::size_t c = 0; c < all.columns.size(); ++c) {
    if (!has_several_values(all, c)) continue;
    table.columns.push_back(all.columns[c]);
    for (std::size_t r = 0; r < all.rows.size(); ++r) table.rows[r].push_back(all.rows[r][c]);
  }
  return table;
}

// A column that tells runs of earlier plans apart, where there are any.
void name_plans(const std::vector<RunRecord>& runs, std::vector<std::string>& keys) {
  const auto earlier = [](const RunRecord& run) { return !run.planned; };
  if (std::any_of(runs.begin(), runs.end(), earlier)) keys.push_back("plan");
}

}  // namespace

std::vector<std::string> swept_settings(const std::vector<RunRecord>& runs) {
  std::vector<std::string> paths;
  for (const RunRecord& run : runs)
    for (const SweptValue& swept : run.axes)
      if (std::find(paths.begin(), paths.end(), swept.path) == paths.end())
        paths.push_back(swept.path);
  return paths;
}

std::vector<std::string> differing_settings(const std::vector<RunRecord>& runs) {
  std::vector<std::string> paths = swept_settings(runs);
  const std::set<std::string> swept(paths.begin(), paths.end());
  std::map<std::string, std::set<std::string>> values;
  for (const RunRecord& run : runs)
    for (const auto& [path, setting] : run.settings) values[path].insert(setting.toml);
  for (const auto& [path, different] : values)
    if (different.size() > 1 && !swept.contains(path)) paths.push_back(path);
  return paths;
}

void sort_runs(std::vector<RunRecord>& runs, const std::string& keys) {
  const RunKeys known(runs);
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= keys.size();) {
    const std::size_t end = std::min(keys.find(',', begin), keys.size());
    names.push_back(keys.substr(begin, end - begin));
    begin = end + 1;
  }
  // The key that counts least first, as the sort keeps the order of equals.
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    const bool falling = name->starts_with('-');
    const std::string key = known.resolve(name->substr(falling ? 1 : 0), "--sort");
    std::stable_sort(runs.begin(), runs.end(), [&](const RunRecord& a, const RunRecord& b) {
      const RunValue x = value_of(a, key), y = value_of(b, key);
      if (has_value(x) != has_value(y)) return has_value(x);
      return falling ? comes_before(y, x) : comes_before(x, y);
    });
  }
}

namespace {

// The figures that runs are compared by, with scores where texts were classified.
std::vector<std::string> with_scores(const std::vector<RunRecord>& runs,
                                     std::vector<std::string> keys) {
  const bool classified =
      std::any_of(runs.begin(), runs.end(), [](const RunRecord& run) { return run.run.accuracy; });
  if (!classified) return keys;
  const auto loss = std::find(keys.begin(), keys.end(), "val_loss");
  keys.insert(loss, {"accuracy", "f1"});
  return keys;
}

}  // namespace

ValueTable compare_table(const std::vector<RunRecord>& runs, bool only_changed) {
  std::vector<std::string> keys = {"id", "arm", "seed"};
  for (const std::string& path : differing_settings(runs)) keys.push_back(path);
  for (const std::string& key :
       with_scores(runs, {"state", "step", "val_loss", "val_loss_best", "train_loss",
                          "tokens_per_s", "wall_seconds", "reason"}))
    keys.push_back(key);
  name_plans(runs, keys);
  const ValueTable table = table_of_keys(runs, keys);
  return only_changed ? changed_columns(table) : table;
}

ValueTable list_table(const std::vector<RunRecord>& runs) {
  std::vector<std::string> keys = {"id", "arm", "seed"};
  for (const std::string& path : swept_settings(runs)) keys.push_back(path);
  for (const std::string& key :
       with_scores(runs, {"state", "step", "val_loss", "wall_seconds", "started", "reason"}))
    keys.push_back(key);
  name_plans(runs, keys);
  return table_of_keys(runs, keys);
}

}  // namespace bitlab
