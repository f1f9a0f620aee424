// bitlab config NAME [path=value ...]: what would run, every setting with its origin.
#include <cmath>
#include <iostream>
#include <sstream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "cli/sweep_text.h"
#include "core/base/error.h"
#include "experiments/plan.h"

namespace bitlab {

namespace po = boost::program_options;

namespace {

// "1 .. 4096", "1 ..", "relu | gelu" or empty.
std::string allowed(const FieldInfo& info) {
  std::ostringstream text;
  for (const std::string& choice : info.choices) text << (text.tellp() > 0 ? " | " : "") << choice;
  if (std::isfinite(info.min) || std::isfinite(info.max)) {
    if (std::isfinite(info.min)) text << info.min << " ";
    text << "..";
    if (std::isfinite(info.max)) text << " " << info.max;
  }
  return text.str();
}

void show_fields(const Arm& arm) {
  for (const FieldState& field : arm.fields) {
    const std::string limits = allowed(field.info);
    std::cout << field.path << " = " << field.toml << "\n    " << field.info.help << " ("
              << field.type << (limits.empty() ? "" : ": " + limits) << ")\n";
  }
}

// Without a name each arm of the file; with one that arm, or that point of a sweep. Of an arm with
// several points its first: the others differ in what is swept.
std::vector<const Arm*> chosen_arms(const Experiment& experiment, const std::string& name) {
  std::vector<const Arm*> chosen;
  std::vector<std::string> names = experiment.arm_names();
  for (const Arm& arm : experiment.arms) {
    if (arm.name == name) return {&arm};
    const bool first = chosen.empty() || chosen.back()->base != arm.base;
    if (first && (name.empty() || name == arm.base)) chosen.push_back(&arm);
    if (!arm.axes.empty()) names.push_back(arm.name);
  }
  if (!chosen.empty()) return chosen;
  constexpr std::size_t kShown = 20;
  std::string known;
  for (std::size_t i = 0; i < names.size() && i < kShown; ++i) known += (i ? ", " : "") + names[i];
  if (names.size() > kShown) known += ", ...";
  const std::string guess = nearest(name, names);
  throw UsageError("bitlab config", "--arm must be one of " + known + ", but got '" + name + "'",
                   guess.empty() ? "" : "did you mean '" + guess + "'?");
}

void show_sweep(const Experiment& experiment) {
  const std::string sweep = sweep_text_of(experiment.arms);
  if (sweep.empty()) return;
  std::cout << "# sweep: " << sweep << "\n# " << experiment.arms.size()
            << " arms at their points, the first of each is shown: --arm NAME shows another\n";
  for (const Arm& arm : experiment.arms) std::cout << "#   " << arm.name << "\n";
  std::cout << "\n";
}

}  // namespace

int config_command(const std::vector<std::string>& args) {
  std::vector<std::string> words, plugins;
  std::string arm_name;
  po::options_description options("options"), all;
  options.add_options()("arm", po::value(&arm_name)->value_name("NAME"), "this arm only")(
      "plugin", po::value(&plugins)->value_name("FILE"),
      "a library with plugins, beside those that the experiment names")(
      "fields", "what each setting means and may be")("help,h", "show this");
  all.add(options).add_options()("words", po::value(&words), "");
  const po::variables_map parsed = parse_options("config", args, all, "words");
  if (parsed.count("help")) {
    std::cout << "bitlab config NAME|FILE.toml [path=value ...]: every setting of every arm, with "
                 "its origin\n"
              << options;
    return 0;
  }
  if (words.empty())
    throw UsageError("bitlab config", "an experiment must be named", "bitlab list shows them");
  const Experiment experiment =
      load_experiment(words.front(), {words.begin() + 1, words.end()}, project_root(), plugins);
  if (arm_name.empty()) show_sweep(experiment);
  bool first = true;
  for (const Arm* arm : chosen_arms(experiment, arm_name)) {
    if (!first) std::cout << "\n";
    first = false;
    if (parsed.count("fields")) {
      std::cout << "# arm " << arm->name << "\n";
      show_fields(*arm);
    } else {
      std::cout << run_config(*arm);
    }
  }
  return 0;
}

}  // namespace bitlab
