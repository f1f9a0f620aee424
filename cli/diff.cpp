// bitlab diff RUN RUN: what differs between two runs.
#include <boost/program_options.hpp>
#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "core/base/error.h"
#include "report/details.h"

namespace bitlab {

namespace po = boost::program_options;

int diff_command(const std::vector<std::string>& args) {
  std::vector<std::string> runs;
  po::options_description options("Options");
  options.add_options()("help,h", "show this");
  po::options_description all = options;
  all.add_options()("run", po::value(&runs));
  if (parse_options("diff", args, all, "run").count("help") > 0) {
    std::cout << "usage: bitlab diff RUN RUN\n\n"
              << kRunHelp << "\nOnly what differs: settings, data, build, machine, metrics.\n\n"
              << options;
    return 0;
  }
  if (runs.size() != 2)
    throw UsageError("bitlab diff",
                     "must be given two runs, but got " + std::to_string(runs.size()),
                     "bitlab diff --help");
  std::cout << differences_text(read_run(find_run(runs[0])), read_run(find_run(runs[1])));
  return 0;
}

}  // namespace bitlab
