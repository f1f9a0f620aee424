// The program: finds the verb and turns exceptions into exit codes, here and nowhere else.
#include <algorithm>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "cli/verbs.h"
#include "core/base/error.h"
#include "core/config/problems.h"
#include "experiments/provenance.h"

namespace bitlab {
namespace {

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
  std::cout
      << "\nExit codes: 0 all is well, 1 a run or check failed, 2 the request was wrong and "
         "nothing was run,\n"
         "130 or 143 stopped by a signal with the state saved. bitlab --version says what was "
         "built.\n";
}

int dispatch(const std::vector<std::string>& args) {
  if (args.empty() || args[0] == "--help" || args[0] == "-h" || args[0] == "help") {
    print_help();
    return args.empty() ? 2 : 0;
  }
  if (args[0] == "--version") {
    std::cout << version_line() << "\n";
    return 0;
  }
  if (const Verb* verb = find_verb(args[0])) return verb->command({args.begin() + 1, args.end()});
  std::vector<std::string> names;
  for (const Verb& verb : verbs())
    if (*verb.group) names.push_back(verb.name);
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
