// The part of plan.h that reads experiment files: arms, each at the points of the sweep.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "core/base/error.h"
#include "core/config/load.h"
#include "core/config/problems.h"
#include "experiments/arm_references.h"
#include "experiments/classification_task.h"
#include "experiments/plan.h"
#include "experiments/plugin_loader.h"
#include "experiments/pretrained.h"
#include "experiments/run_order.h"
#include "experiments/sweep.h"

namespace bitlab {

namespace fs = std::filesystem;

std::size_t Experiment::run_count() const {
  std::size_t runs = 0;
  for (const Arm& arm : arms) runs += arm.spec.seeds.size() - arm.left_out.size();
  return runs;
}

std::vector<std::size_t> Experiment::planned_runs() const {
  std::vector<std::size_t> runs(arms.size());
  for_each_run(arms, spec().seeds, max_runs, [&](std::size_t arm, std::int64_t) { ++runs[arm]; });
  return runs;
}

const std::string& Experiment::baseline() const {
  return spec().baseline.empty() ? arms.front().base : spec().baseline;
}

std::vector<std::string> Experiment::arm_names() const {
  std::vector<std::string> names;
  for (const Arm& arm : arms)
    if (names.empty() || names.back() != arm.base) names.push_back(arm.base);
  return names;
}

std::string axis_text(const std::string& toml) {
  if (toml.front() == '"') return toml.substr(1, toml.size() - 2);
  double x = 0;
  const char* const end = toml.data() + toml.size();
  const auto parsed = std::from_chars(toml.data(), end, x);
  return parsed.ec == std::errc() && parsed.ptr == end ? fmt::format("{}", x) : toml;
}

std::vector<std::string> experiment_names(const fs::path& home) {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(home / "configs" / "experiments", none))
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

namespace {

fs::path find_experiment(const std::string& name, const fs::path& home) {
  if (fs::path(name).extension() == ".toml") {
    if (!fs::exists(name)) throw UsageError(name, "must be an experiment file, but does not exist");
    return name;
  }
  const fs::path file = home / "configs" / "experiments" / (name + ".toml");
  if (fs::exists(file)) return file;
  const std::vector<std::string> names = experiment_names(home);
  const std::string guess = nearest(name, names);
  throw UsageError(
      "experiment",
      fmt::format("must be a .toml file or one of {}, but got '{}'", fmt::join(names, ", "), name),
      guess.empty() ? "" : "did you mean '" + guess + "'?");
}

// What arms have in common, so that their runs are paired and end in one report.
bool shared_by_arms(const std::string& path) {
  return path == "title" || path == "question" || path == "claims" || path == "seeds" ||
         path == "baseline" || path == "plugins" || table_of(path) == "data" ||
         table_of(path) == "prune";
}

void refuse_unshared(const LoadedConfig& config, Problems& problems) {
  for (const Settings* settings : {&config.file, &config.command_line}) {
    for (const auto& [path, setting] : *settings) {
      if (setting.table || !path.starts_with("arms.")) continue;
      const std::size_t dot = path.find('.', 5);
      if (dot == std::string::npos || !shared_by_arms(path.substr(dot + 1))) continue;
      problems.add(setting.key,
                   "arm " + path.substr(5, dot - 5) + " must not set " + path.substr(dot + 1),
                   {"arms are compared on the same data and seeds: set it outside of [arms]"});
    }
  }
}

void check_baseline(const Experiment& experiment, const LoadedConfig& config, Problems& problems) {
  const std::vector<std::string> names = experiment.arm_names();
  if (std::find(names.begin(), names.end(), experiment.baseline()) != names.end()) return;
  const Settings shared = settings_of_arm(config, "");
  problems.add(shared.at("baseline").value.place,
               fmt::format("baseline must be one of {}, but got '{}'", fmt::join(names, ", "),
                           experiment.baseline()));
}

Arm resolve_arm(const std::string& base, const Settings& settings, ConfigReader& reader) {
  Arm arm;
  arm.name = arm.base = base;
  const auto origins = reader.read(settings, arm.spec);
  arm.fields = list_fields(arm.spec, origins);
  return arm;
}

// The fields that the arms have before anything is swept, whatever is wrong with their values.
std::map<std::string, FieldState> fields_of(const LoadedConfig& config,
                                            const std::vector<std::string>& arms) {
  std::map<std::string, FieldState> fields;
  Problems ignored;
  ConfigReader reader(ignored);
  for (const std::string& name : arms)
    for (FieldState& field : resolve_arm(name, settings_of_arm(config, name), reader).fields)
      fields.emplace(field.path, std::move(field));
  return fields;
}

// The shortest end of an axis' path that no other axis has: "lr", or "optim.lr" beside another lr.
std::vector<std::string> short_names(const std::vector<Axis>& axes) {
  std::vector<std::string> names;
  for (const Axis& axis : axes) {
    std::string table = table_of(axis.path), name = key_of(axis.path);
    const auto ambiguous = [&] {
      return std::any_of(axes.begin(), axes.end(), [&](const Axis& other) {
        return other.path != axis.path && ("." + other.path).ends_with("." + name);
      });
    };
    for (; ambiguous() && !table.empty(); table = table_of(table))
      name = join_path(key_of(table), name);
    names.push_back(name);
  }
  return names;
}

// Which of the axes that an arm has its points are called by: of those that move together the first
// ones, as many as it takes to tell their values apart.
std::vector<bool> telling_axes(const Sweep& sweep, const std::vector<bool>& has) {
  std::vector<bool> telling(sweep.axes.size(), false);
  for (const auto& group : sweep.groups) {
    std::vector<std::string> seen(sweep.axes[group.front()].values.size());
    for (const std::size_t axis : group) {
      if (!has[axis]) continue;
      telling[axis] = true;
      if (sweep.axes[axis].continuous) break;
      for (std::size_t i = 0; i < seen.size(); ++i)
        seen[i] += " " + sweep.axes[axis].values[i].written;
      if (std::set<std::string>(seen.begin(), seen.end()).size() == seen.size()) break;
    }
  }
  return telling;
}

// Makes the arms of an experiment: each arm of the file at each point of the sweep.
class Expansion {
 public:
  Expansion(const LoadedConfig& config,
            const Sweep& sweep,
            ConfigReader& reader,
            Experiment& experiment)
      : config_(config),
        sweep_(sweep),
        reader_(reader),
        experiment_(experiment),
        names_(short_names(sweep.axes)),
        points_(sweep.points()) {}

  void add_arm(const std::string& base) {
    const Settings own = settings_of_arm(config_, base);
    std::vector<bool> pinned;  // by what the command line says of this arm
    for (const Axis& axis : sweep_.axes)
      pinned.push_back(config_.command_line.count("arms." + base + "." + axis.path) > 0);
    for (const SweepPoint& point : points_) {
      Settings settings = own;
      for (std::size_t i = 0; i < point.size(); ++i)
        if (!pinned[i]) set(settings, sweep_.axes[i], point[i]);
      Arm arm = resolve_arm(base, settings, reader_);
      const std::vector<bool> has = axes_of(arm, pinned);
      const std::vector<std::int64_t> left = sweep_.seeds_at(base, point, has, arm.spec.seeds);
      if (left.empty()) continue;
      for (const std::int64_t seed : arm.spec.seeds)
        if (std::count(left.begin(), left.end(), seed) == 0) arm.left_out.push_back(seed);
      name_point(arm, has);
      keep_if_new(std::move(arm));
    }
  }

 private:
  static void set(Settings& settings, const Axis& axis, const Value& value) {
    Setting setting = axis.setting;
    setting.value = value;
    settings.insert_or_assign(axis.path, setting);
    // The tables above it, so that a misspelt one is told as such.
    Setting table;
    table.table = true;
    table.key = axis.setting.key;
    for (std::string path = table_of(axis.path); !path.empty(); path = table_of(path))
      settings.emplace(path, table);
  }

  // Settings that the arm does not have are no axes of it. Those that it has become its own.
  std::vector<bool> axes_of(Arm& arm, const std::vector<bool>& pinned) const {
    std::vector<bool> has;
    for (std::size_t i = 0; i < sweep_.axes.size(); ++i) {
      const auto field =
          std::find_if(arm.fields.begin(), arm.fields.end(),
                       [&](const FieldState& f) { return f.path == sweep_.axes[i].path; });
      has.push_back(!pinned[i] && field != arm.fields.end());
      if (has.back()) arm.axes.push_back({field->path, field->toml});
    }
    return has;
  }

  void name_point(Arm& arm, const std::vector<bool>& has) {
    const auto [telling, fresh] = telling_.try_emplace(has);
    if (fresh) telling->second = telling_axes(sweep_, has);
    for (std::size_t i = 0, axis = 0; i < has.size(); ++i) {
      if (!has[i]) continue;
      if (telling->second[i]) arm.name += " " + names_[i] + "=" + axis_text(arm.axes[axis].toml);
      ++axis;
    }
  }

  // The weights and teachers that an arm names enter a run's id by what they are, not by their
  // name: here the name must do.
  static std::string what_it_computes(const Arm& arm) {
    const ClassificationConfig* task = distilled(arm.spec.task);
    return canonical_text(arm.fields) + pretrained_name(arm.spec) + "\n" +
           (task != nullptr ? task->teacher : "");
  }

  // An arm without some of the axes meets the same point again and again: that is none twice.
  // Otherwise the same settings are a duplicate, even those of another arm.
  void keep_if_new(Arm arm) {
    const bool whole = arm.axes.size() == sweep_.axes.size();
    if (!whole && !named_.insert(arm.name).second) return;
    const bool known = !seen_.insert(what_it_computes(arm)).second;
    if (known && !arm.axes.empty())
      ++experiment_.duplicates;
    else
      experiment_.arms.push_back(std::move(arm));
  }

  const LoadedConfig& config_;
  const Sweep& sweep_;
  ConfigReader& reader_;
  Experiment& experiment_;
  std::vector<std::string> names_;
  std::map<std::vector<bool>, std::vector<bool>> telling_;  // by the axes that an arm has
  std::vector<SweepPoint> points_;
  std::set<std::string> named_, seen_;
};

}  // namespace

Experiment load_experiment(const std::string& name,
                           const std::vector<std::string>& overrides,
                           const fs::path& home,
                           const std::vector<std::string>& plugins) {
  Experiment experiment;
  experiment.file = find_experiment(name, home);
  experiment.home = home;
  experiment.name = experiment.file.stem().string();
  LoadedConfig config = load_config(experiment.file, overrides, home);
  load_plugins(config, plugins);
  std::vector<std::string> arms = arm_names(config);
  if (arms.empty()) arms.push_back("main");

  Problems problems;
  Sweep sweep = take_sweep(config, fields_of(config, arms), arms, problems);
  experiment.max_runs = static_cast<std::size_t>(sweep.options.max_runs);
  for (const auto& group : sweep.groups) {
    if (group.size() < 2) continue;
    experiment.zipped.emplace_back();
    for (const std::size_t axis : group) experiment.zipped.back().push_back(sweep.axes[axis].path);
  }
  if (!problems.empty()) sweep = {};  // what is wrong beside it is told as well
  ConfigReader reader(problems);
  refuse_unshared(config, problems);
  Expansion expansion(config, sweep, reader, experiment);
  for (const std::string& arm : arms) expansion.add_arm(arm);
  reader.report_unknown();
  if (experiment.arms.empty()) {
    problems.throw_if_any();
    throw UsageError("sweep", "sweep.exclude must leave a run, but leaves none");
  }
  check_baseline(experiment, config, problems);
  problems.throw_if_any();
  return experiment;
}

void keep_arms(Experiment& experiment, const std::vector<std::string>& names) {
  if (names.empty()) return;
  const std::vector<std::string> known = experiment.arm_names();
  std::set<std::string> wanted(names.begin(), names.end()), unknown = wanted;
  const auto is_wanted = [&](const Arm& arm) {
    return wanted.count(arm.base) + wanted.count(arm.name) > 0;
  };
  for (const Arm& arm : experiment.arms) {
    unknown.erase(arm.base);
    unknown.erase(arm.name);
  }
  if (!unknown.empty()) {
    const std::string guess = nearest(*unknown.begin(), known);
    throw UsageError("arm",
                     fmt::format("must be one of {}, or one of them at a point of the sweep, but "
                                 "got '{}'",
                                 fmt::join(known, ", "), *unknown.begin()),
                     guess.empty() ? "" : "did you mean '" + guess + "'?");
  }
  for (std::size_t before = 0; before != wanted.size();) {  // what they name may name others
    before = wanted.size();
    for (const Arm& arm : experiment.arms)
      if (is_wanted(arm))
        for (const ArmReference& reference : arm_references(arm))
          if (reference.experiment.empty()) wanted.insert(reference.arm);
  }
  std::erase_if(experiment.arms, [&](const Arm& arm) { return !is_wanted(arm); });
}

}  // namespace bitlab
