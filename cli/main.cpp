// The program: finds the verb and turns exceptions into exit codes, here and nowhere else.
#include <algorithm>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "core/base/error.h"
#include "core/config/problems.h"

namespace bitlab {
namespace {

struct Verb {
  const char* group;  // empty: not for people
  const char* name;
  const char* usage;
  const char* summary;
  int (*command)(const std::vector<std::string>& args);
};

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> all = {
      {"Experiments", "run", "NAME|FILE.toml [path=value ...]",
       "train what is not done, then show the result", run_command},
      {"Experiments", "list", "", "the experiments there are", list_command},
      {"Experiments", "config", "NAME [path=value ...]",
       "every setting of every arm, with its origin", config_command},
      {"Experiments", "check", "", "read every file in configs/", check_command},
      {"Results", "table", "NAME [--format F]", "the result table, as md, csv, tex or json",
       table_command},
      {"Results", "report", "NAME", "draw the curves and write the tables again", report_command},
      {"Models", "generate", "RUN --prompt TEXT", "text from a trained model", generate_command},
      {"Models", "verify", "RUN", "prove that weights are ternary and packing loses nothing",
       verify_command},
      {"Models", "bench", "train NAME", "speed of whole training steps against sgemm",
       bench_command},
      {"Data", "data", "list|get NAME|path NAME|verify [NAME]", "data sources and their cache",
       data_command},
      {"", "worker", "", "one run; started by run", worker_command},
  };
  return all;
}

void print_help() {
  std::cout << "bitlab: experiments with ternary transformers\n\nusage: bitlab VERB [...]      "
               "bitlab VERB --help\n";
  std::string group;
  for (const Verb& verb : verbs()) {
    if (std::string(verb.group).empty()) continue;
    if (group != verb.group) std::cout << "\n" << (group = verb.group) << "\n";
    std::string left = std::string("  ") + verb.name + " " + verb.usage;
    left.resize(std::max<std::size_t>(left.size() + 2, 46), ' ');
    std::cout << left << verb.summary << "\n";
  }
  std::cout << "\nExit codes: 0 all is well, 1 a run or check failed, 2 the request was wrong and "
               "nothing was run,\n"
               "130 or 143 stopped by a signal with the state saved.\n";
}

int dispatch(const std::vector<std::string>& args) {
  if (args.empty() || args[0] == "--help" || args[0] == "-h" || args[0] == "help") {
    print_help();
    return args.empty() ? 2 : 0;
  }
  std::vector<std::string> names;
  for (const Verb& verb : verbs()) {
    if (args[0] == verb.name) return verb.command({args.begin() + 1, args.end()});
    if (*verb.group) names.push_back(verb.name);
  }
  const std::string guess = nearest(args[0], names);
  throw UsageError(
      "bitlab", "the first word must be a verb, but got '" + args[0] + "'",
      guess.empty() ? "bitlab --help lists the verbs" : "did you mean '" + guess + "'?");
}

}  // namespace
}  // namespace bitlab

namespace {

// A config's mistakes begin with their place, which editors jump to.
void print_error(const std::string& what) {
  std::cerr << (what.rfind("[", 0) == 0 ? "error: " : "") << what
            << (what.ends_with("\n") ? "" : "\n");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return bitlab::dispatch({argv + 1, argv + argc});
  } catch (const bitlab::UsageError& e) {
    print_error(e.what());
    return 2;
  } catch (const std::exception& e) {
    print_error(e.what());
    return 1;
  }
}
