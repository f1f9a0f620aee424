// bitlab table NAME: the result table of an experiment, finished or not.
#include "report/table.h"

#include <boost/program_options.hpp>
#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "core/base/error.h"
#include "report/results.h"

namespace bitlab {

namespace po = boost::program_options;

int table_command(const std::vector<std::string>& args) {
  std::string format;
  std::vector<std::string> names;
  po::options_description options("Options");
  options.add_options()("help,h", "show this")("format,f", po::value(&format)->default_value("md"),
                                               "md, csv, tex or json");
  po::options_description all = options;
  all.add_options()("name", po::value(&names));
  const po::variables_map parsed = parse_options("table", args, all, "name");
  if (parsed.count("help") > 0) {
    std::cout << "usage: bitlab table NAME [--format md|csv|tex|json]\n\n" << options;
    return 0;
  }
  if (names.size() != 1)
    throw UsageError("bitlab table",
                     "one experiment must be named, but got " + std::to_string(names.size()),
                     "bitlab table NAME [--format md|csv|tex|json]");
  const TableFormat table_format = parse_table_format(format);
  std::cout << format_table(load_results(find_results(names.front())), table_format);
  return 0;
}

}  // namespace bitlab
