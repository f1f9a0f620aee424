// bitlab config NAME [path=value ...]: what would run, every setting with its origin.
#include <cmath>
#include <iostream>
#include <sstream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
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

std::vector<const Arm*> chosen_arms(const Experiment& experiment, const std::string& name) {
  std::vector<const Arm*> chosen;
  std::vector<std::string> names;
  for (const Arm& arm : experiment.arms) {
    names.push_back(arm.name);
    if (name.empty() || name == arm.name) chosen.push_back(&arm);
  }
  if (!chosen.empty()) return chosen;
  std::string known;
  for (const std::string& other : names) known += (known.empty() ? "" : ", ") + other;
  const std::string guess = nearest(name, names);
  throw UsageError("bitlab config", "--arm must be one of " + known + ", but got '" + name + "'",
                   guess.empty() ? "" : "did you mean '" + guess + "'?");
}

}  // namespace

int config_command(const std::vector<std::string>& args) {
  std::vector<std::string> words;
  std::string arm_name;
  po::options_description options("options"), all;
  options.add_options()("arm", po::value(&arm_name)->value_name("NAME"), "this arm only")(
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
      load_experiment(words.front(), {words.begin() + 1, words.end()}, project_root());
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
