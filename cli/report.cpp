// bitlab report NAME: draws the curves and writes table and verdict of an experiment anew, finished
// or not.
#include "report/report.h"

#include <boost/program_options.hpp>
#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "core/base/error.h"

namespace bitlab {

namespace po = boost::program_options;

int report_command(const std::vector<std::string>& args) {
  std::vector<std::string> names;
  po::options_description options("Options");
  options.add_options()("help,h", "show this");
  po::options_description all = options;
  all.add_options()("name", po::value(&names));
  const po::variables_map parsed = parse_options("report", args, all, "name");
  if (parsed.count("help") > 0) {
    std::cout << "usage: bitlab report NAME\n\n" << options;
    return 0;
  }
  if (names.size() != 1)
    throw UsageError("bitlab report",
                     "one experiment must be named, but got " + std::to_string(names.size()),
                     "bitlab report NAME");
  const Report report = write_report(find_results(names.front()));
  std::cout << report.text;
  return report.figure_error.empty() ? 0 : 1;
}

}  // namespace bitlab
