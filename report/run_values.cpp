#include "report/run_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "core/base/error.h"
#include "core/config/settings.h"
#include "core/config/suggest.h"
#include "report/format.h"

namespace bitlab {

namespace {

using Get = std::function<RunValue(const RunRecord&)>;

struct Key {
  RunKeyInfo info;
  Get get;
};

RunValue text(const std::string& value) { return value.empty() ? RunValue() : RunValue(value); }

RunValue number(const std::optional<double>& value) {
  return value ? RunValue(*value) : RunValue();
}

// Zero stands for "not measured" in a run's status.
RunValue measured(double value) { return value > 0 ? RunValue(value) : RunValue(); }

RunValue count(std::int64_t value) { return static_cast<double>(value); }

const std::vector<Key>& keys() {
  using R = const RunRecord&;
  static const std::vector<Key> all = {
      {{"id", false}, [](R r) { return text(r.id); }},
      {{"experiment", false}, [](R r) { return text(r.experiment); }},
      {{"arm", false}, [](R r) { return text(r.base); }},
      {{"seed", false}, [](R r) { return count(r.run.seed); }},
      {{"state", false}, [](R r) { return text(to_string(r.run.state)); }},
      {{"reason", false}, [](R r) { return text(r.run.reason); }},
      {{"step", false}, [](R r) { return count(r.run.step); }},
      {{"steps", false}, [](R r) { return count(r.run.steps); }},
      {{"started", false}, [](R r) { return text(r.run.started); }},
      {{"ended", false}, [](R r) { return text(r.run.ended); }},
      {{"build", false}, [](R r) { return text(r.build); }},
      {{"plan", false}, [](R r) { return text(r.planned ? "last" : "earlier"); }},
      {{"params", false}, [](R r) { return measured(static_cast<double>(r.params)); }},
      {{"ternary_params", false}, [](R r) { return count(r.ternary_params); }},
      {{"val_loss", true}, [](R r) { return number(final_val_loss(r.run)); }},
      {{"val_loss_best", true}, [](R r) { return number(best_val_loss(r.run)); }},
      {{"val_bits_per_byte", true}, [](R r) { return number(r.val_bits_per_byte); }},
      {{"train_loss", true}, [](R r) { return number(final_train_loss(r.run)); }},
      {{"accuracy", true}, [](R r) { return number(r.run.accuracy); }},
      {{"f1", true}, [](R r) { return number(r.run.f1); }},
      {{"tokens_per_s", true}, [](R r) { return measured(r.run.tokens_per_s); }},
      {{"wall_seconds", true}, [](R r) { return measured(r.run.wall_seconds); }},
      {{"train_seconds", true}, [](R r) { return measured(r.run.train_seconds); }},
      {{"bytes_full", true}, [](R r) { return measured(static_cast<double>(r.run.bytes_full)); }},
      {{"bytes_packed", true},
       [](R r) { return measured(static_cast<double>(r.run.bytes_packed)); }},
  };
  return all;
}

const Key* find_key(const std::string& name) {
  const auto found = std::find_if(keys().begin(), keys().end(),
                                  [&](const Key& key) { return name == key.info.name; });
  return found == keys().end() ? nullptr : &*found;
}

// Whether `end` is the whole of a path or what follows one of its dots.
bool is_end_of(const std::string& end, const std::string& path) {
  return path == end || path.ends_with("." + end);
}

}  // namespace

bool has_value(const RunValue& value) { return value.index() != 0; }

bool comes_before(const RunValue& a, const RunValue& b) {
  if (a.index() == b.index()) return a < b;
  if (!has_value(a) || !has_value(b)) return has_value(a);
  return a.index() < b.index();
}

std::string to_text(const RunValue& value) {
  if (const double* x = std::get_if<double>(&value)) return fmt::format("{}", *x);
  const std::string* words = std::get_if<std::string>(&value);
  return words == nullptr ? "" : *words;
}

std::string to_display(const std::string& key, const RunValue& value) {
  const double* x = std::get_if<double>(&value);
  if (x == nullptr) return to_text(value);
  const auto whole = static_cast<std::int64_t>(std::llround(*x));
  if (key == "val_loss" || key == "val_loss_best" || key == "val_bits_per_byte" ||
      key == "train_loss" || key == "accuracy" || key == "f1")
    return format_fixed(*x, 4);
  if (key == "wall_seconds" || key == "train_seconds") return format_duration(*x);
  if (key == "bytes_full" || key == "bytes_packed") return format_bytes(whole);
  if (key == "tokens_per_s" || key == "params" || key == "ternary_params")
    return format_count(whole);
  return to_text(value);
}

RunValue value_of_toml(const std::string& toml) {
  double x = 0;
  const char* const end = toml.data() + toml.size();
  const auto read = std::from_chars(toml.data(), end, x);
  if (read.ec == std::errc() && read.ptr == end) return x;
  if (!toml.starts_with('"')) return toml;
  // TOML's basic strings, as to_toml() writes them, are JSON's.
  const auto words = nlohmann::json::parse(toml, nullptr, false);
  return words.is_string() ? words.get<std::string>() : toml;
}

const std::vector<RunKeyInfo>& run_keys() {
  static const std::vector<RunKeyInfo> infos = [] {
    std::vector<RunKeyInfo> list;
    for (const Key& key : keys()) list.push_back(key.info);
    return list;
  }();
  return infos;
}

bool is_metric(const std::string& key) {
  const Key* known = find_key(key);
  return known != nullptr && known->info.metric;
}

std::string run_keys_help() {
  std::string facts, metrics;
  for (const RunKeyInfo& key : run_keys())
    (key.metric ? metrics : facts) += std::string(" ") + key.name;
  return "Keys: any setting by its path or by the end of it that is unique (optim.lr, lr);\n "
         " metrics" +
         metrics + ";\n  facts" + facts + ".\n";
}

RunKeys::RunKeys(const std::vector<RunRecord>& runs) {
  std::set<std::string> paths;
  for (const RunRecord& run : runs)
    for (const auto& [path, setting] : run.settings) paths.insert(path);
  settings_.assign(paths.begin(), paths.end());
}

std::string RunKeys::resolve(const std::string& name, const std::string& where) const {
  if (find_key(name) != nullptr) return name;
  std::vector<std::string> found;
  for (const std::string& path : settings_) {
    if (path == name) return path;
    if (is_end_of(name, path)) found.push_back(path);
  }
  if (found.size() == 1) return found.front();
  if (found.size() > 1) {
    std::string list;
    for (const std::string& path : found) list += (list.empty() ? "" : ", ") + path;
    throw UsageError(where, "'" + name + "' must name one setting, but there are " + list);
  }
  std::vector<std::string> candidates = settings_;
  for (const Key& key : keys()) candidates.push_back(key.info.name);
  for (const std::string& path : settings_) candidates.push_back(key_of(path));
  std::string guess = nearest(name, candidates);
  if (guess.empty()) guess = suggest_path(name, {settings_.begin(), settings_.end()});
  throw UsageError(
      where, "'" + name + "' must be a metric, a setting or a fact of these runs",
      guess.empty() ? "the verb's --help lists the names" : "did you mean '" + guess + "'?");
}

std::string RunKeys::short_name(const std::string& key) const {
  for (std::size_t dot = key.rfind('.'); dot != std::string::npos && dot > 0;
       dot = key.rfind('.', dot - 1)) {
    const std::string end = key.substr(dot + 1);
    const auto takes = [&](const std::string& path) { return is_end_of(end, path); };
    if (find_key(end) == nullptr && std::count_if(settings_.begin(), settings_.end(), takes) == 1)
      return end;
  }
  return key;
}

RunValue value_of(const RunRecord& run, const std::string& key) {
  if (const Key* known = find_key(key)) return known->get(run);
  const auto setting = run.settings.find(key);
  return setting == run.settings.end() ? RunValue() : value_of_toml(setting->second.toml);
}

}  // namespace bitlab
