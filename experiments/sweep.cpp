#include "experiments/sweep.h"

#include <algorithm>
#include <optional>
#include <set>

#include "core/base/error.h"

namespace bitlab {

namespace {

// Settings of results have a dot in their path, so names without one are free for the options.
bool is_axis(const std::string& path) { return path.find('.') != std::string::npos; }
bool is_seeds(const std::string& path) { return path == "seed" || path == "seeds"; }

// The options as the reader of configs knows them. `seed`, `zip` and `exclude` are read elsewhere:
// they are declared so that a misspelling is told about them.
struct OptionsTable : Configurable {
  SweepOptions options;
  std::string read_elsewhere;
  void fields(FieldVisitor& v) override {
    v.begin("sweep", "which points of the axes are run");
    options.fields(v);
    v.field("seed", read_elsewhere, {.help = "the seeds"});
    v.field("zip", read_elsewhere, {.help = "axes that move together"});
    v.field("exclude", read_elsewhere, {.help = "runs that are left out"});
    v.end();
  }
};

class SweepReader {
 public:
  SweepReader(LoadedConfig& config,
              const std::map<std::string, FieldState>& fields,
              const std::vector<std::string>& arms,
              Problems& problems)
      : config_(config), fields_(fields), arms_(arms), problems_(problems) {}

  Sweep read() {
    Settings asked = settings_below(config_.file, "sweep");
    for (const auto& [path, setting] : settings_below(config_.command_line, "sweep"))
      asked.insert_or_assign(path, setting);
    take_seeds();
    read_options(asked);
    read_axes(asked);
    read_zips(asked);
    if (const auto found = asked.find("exclude"); found != asked.end())
      sweep_.exclusions = parse_exclusions(found->second.value, sweep_.axes, arms_, problems_);
    check_sampler();
    return sweep_;
  }

 private:
  // Of the file's [sweep] and of the command line, each into `seeds` of where it was written.
  void take_seeds() {
    std::optional<Setting> swept = seeds_of(settings_below(config_.file, "sweep"));
    if (swept) config_.file.insert_or_assign("seeds", *swept);
    swept = seeds_of(settings_below(config_.command_line, "sweep"));
    if (!swept) swept = seeds_of(config_.command_line);
    config_.command_line.erase("seed");
    if (swept) config_.command_line.insert_or_assign("seeds", *swept);
  }

  std::optional<Setting> seeds_of(const Settings& settings) {
    const auto seed = settings.find("seed"), seeds = settings.find("seeds");
    if (seed != settings.end() && seeds != settings.end())
      problems_.add(seed->second.key, "seed must not be set beside seeds: they are the same");
    const auto found = seed != settings.end() ? seed : seeds;
    if (found == settings.end()) return std::nullopt;
    Setting list = found->second;
    if (list.table || list.value.kind == Value::Kind::List) return list;
    const Axis axis = parse_axis(found->first, found->second, problems_);
    if (axis.continuous)
      problems_.add(found->second.value.place,
                    "seeds must be whole numbers, but got " + found->second.value.text,
                    {"write seed=1..3"});
    list.value.items = axis.values;
    list.value.kind = Value::Kind::List;
    if (list.value.items.empty()) return std::nullopt;  // told already
    return list;
  }

  void read_options(const Settings& asked) {
    Settings options;
    for (const auto* settings : {&config_.file, &config_.command_line})
      if (const auto found = settings->find("sweep"); found != settings->end())
        options.insert_or_assign("sweep", found->second);
    for (const auto& [path, setting] : asked)
      if (!is_axis(path) && !setting.table && !is_seeds(path) && path != "zip" && path != "exclude")
        options.emplace("sweep." + path, setting);
    OptionsTable table;
    ConfigReader reader(problems_);
    reader.read(options, table);
    reader.report_unknown();
    sweep_.options = table.options;
  }

  void read_axes(const Settings& asked) {
    Settings axes;
    for (const auto& [path, setting] : asked)
      if (is_axis(path) && !setting.table) axes.insert_or_assign(path, setting);
    for (auto it = config_.command_line.begin(); it != config_.command_line.end();) {
      const auto& [path, setting] = *it;
      const bool sets = is_axis(path) && !setting.table;
      const bool several = sets && may_be_axis(path) && names_several(setting.value);
      if (several)
        axes.insert_or_assign(path, setting);
      else if (sets && axes.erase(path) > 0)
        replaced_.insert(path);
      it = several ? config_.command_line.erase(it) : std::next(it);
    }
    for (const auto& [path, setting] : axes) {
      if (!allowed(path, setting)) continue;
      sweep_.axes.push_back(parse_axis(path, setting, problems_));
      const auto field = fields_.find(path);
      if (field != fields_.end() && field->second.type == "integer")
        round_values(sweep_.axes.back());
    }
    std::stable_sort(sweep_.axes.begin(), sweep_.axes.end(),
                     [](const Axis& a, const Axis& b) { return a.setting.key < b.setting.key; });
  }

  // On the command line. Values of an arm, and of [sweep] itself, are not for all arms to share.
  bool may_be_axis(const std::string& path) const {
    if (path.starts_with("arms.") || path.starts_with("sweep.")) return false;
    const auto field = fields_.find(path);
    return field == fields_.end() ||
           (field->second.info.hashed && !field->second.type.starts_with("list"));
  }

  bool allowed(const std::string& path, const Setting& setting) {
    const auto field = fields_.find(path);
    std::string why;
    if (table_of(path) == "data")
      why = "arms are compared on the same data";
    else if (field != fields_.end() && !field->second.info.hashed)
      why = "it changes no result";
    else if (field != fields_.end() && field->second.type.starts_with("list"))
      why = "it is a list itself";
    if (!why.empty()) problems_.add(setting.key, path + " must not be swept: " + why);
    return why.empty();
  }

  void read_zips(const Settings& asked) {
    std::set<std::size_t> taken;
    if (const auto zip = asked.find("zip"); zip != asked.end()) {
      const Value& value = zip->second.value;
      if (zip->second.table || value.kind != Value::Kind::List)
        wrong_zip(zip->second.table ? zip->second.key : value.place);
      for (const Value& group : value.items) read_zip(group, taken);
    }
    for (std::size_t i = 0; i < sweep_.axes.size(); ++i)
      if (!taken.count(i)) sweep_.groups.push_back({i});
    std::sort(sweep_.groups.begin(), sweep_.groups.end());
  }

  void wrong_zip(const Place& place) {
    problems_.add(place, "sweep.zip must be a list of lists of axes",
                  {"write zip = [[\"model.d_model\", \"model.n_head\"]]"});
  }

  void read_zip(const Value& group, std::set<std::size_t>& taken) {
    if (group.kind != Value::Kind::List) return wrong_zip(group.place);
    std::vector<std::size_t> members;
    for (const Value& item : group.items) {
      if (item.kind != Value::Kind::String) return wrong_zip(item.place);
      if (replaced_.count(item.text)) continue;
      if (const auto member = axis_named(item); member && taken.insert(*member).second)
        members.push_back(*member);
      else if (member)
        problems_.add(item.place,
                      "sweep.zip must name an axis once, but has " + item.text + " twice");
    }
    check_lengths(group, members);
    std::sort(members.begin(), members.end());
    if (!members.empty()) sweep_.groups.push_back(members);
  }

  std::optional<std::size_t> axis_named(const Value& item) {
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < sweep_.axes.size(); ++i) {
      if (sweep_.axes[i].path == item.text) return i;
      paths.push_back(sweep_.axes[i].path);
    }
    const std::string guess = nearest(item.text, paths);
    problems_.add(item.place, "sweep.zip must name axes of the sweep, but got '" + item.text + "'",
                  {guess.empty() ? "" : "did you mean '" + guess + "'?"});
    return std::nullopt;
  }

  void check_lengths(const Value& group, const std::vector<std::size_t>& members) {
    std::string lengths;
    bool equal = true;
    for (const std::size_t i : members) {
      const Axis& axis = sweep_.axes[i];
      const Axis& first = sweep_.axes[members.front()];
      equal = equal && axis.values.size() == first.values.size();
      lengths +=
          (lengths.empty() ? "" : ", ") + axis.path +
          (axis.continuous ? " is continuous" : " has " + std::to_string(axis.values.size()));
    }
    if (!equal)
      problems_.add(group.place,
                    "axes that are zipped must have the same number of values, but " + lengths);
  }

  void check_sampler() {
    const SweepOptions& options = sweep_.options;
    const bool grid = options.sampler == "grid";
    for (const Axis& axis : sweep_.axes)
      if (grid && axis.continuous)
        problems_.add(axis.setting.value.place,
                      axis.path + " must say how many values the grid has, but got " +
                          axis.setting.value.text,
                      {"write xN after it, such as log(1e-4,1e-2)x8, or draw from it with "
                       "sampler = \"random\" and samples = N"});
    if (sweep_.axes.empty()) return;
    const Place& place = sweep_.axes.front().setting.key;
    if (grid && options.samples > 0)
      problems_.add(place, "sweep.samples must not be set for the sampler grid, which takes all",
                    {"set sampler = \"random\" or \"sobol\""});
    if (!grid && options.samples == 0)
      problems_.add(place, "sweep.samples must say how many points the sampler " + options.sampler +
                               " draws");
  }

  LoadedConfig& config_;
  const std::map<std::string, FieldState>& fields_;
  const std::vector<std::string>& arms_;
  Problems& problems_;
  Sweep sweep_;
  std::set<std::string> replaced_;  // axes of the file that the command line gave one value
};

}  // namespace

void SweepOptions::fields(FieldVisitor& v) {
  v.field("sampler", sampler,
          {.help = "grid: every combination; random, sobol: `samples` of them",
           .choices = {"grid", "random", "sobol"}});
  v.field("samples", samples,
          {.help = "points that random and sobol draw", .min = 0, .max = 100'000});
  v.field("sampler_seed", sampler_seed, {.help = "of the sampler random", .min = 0});
  v.field("max_runs", max_runs, {.help = "only the first runs of the plan, 0 for all", .min = 0});
}

Sweep take_sweep(LoadedConfig& config,
                 const std::map<std::string, FieldState>& fields,
                 const std::vector<std::string>& arms,
                 Problems& problems) {
  return SweepReader(config, fields, arms, problems).read();
}

}  // namespace bitlab
