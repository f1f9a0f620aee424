// bitlab show RUN: one run in full.
#include <boost/program_options.hpp>
#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "core/base/error.h"
#include "report/details.h"

namespace bitlab {

namespace po = boost::program_options;

int show_command(const std::vector<std::string>& args) {
  std::vector<std::string> runs;
  po::options_description options("Options");
  options.add_options()("help,h", "show this");
  po::options_description all = options;
  all.add_options()("run", po::value(&runs));
  if (parse_options("show", args, all, "run").count("help") > 0) {
    std::cout << "usage: bitlab show RUN\n\n"
              << kRunHelp
              << "\nState, losses, the settings that are not the default, provenance, files.\n\n"
              << options;
    return 0;
  }
  if (runs.size() != 1)
    throw UsageError("bitlab show", "must be given one run", "bitlab show --help");
  std::cout << run_details(read_run(find_run(runs.front())));
  return 0;
}

}  // namespace bitlab
