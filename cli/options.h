#pragma once
// The options of one verb, on boost::program_options.
#include <boost/program_options.hpp>
#include <string>
#include <vector>

namespace bitlab {

// Parses `args`. "--help" among them is left to the caller: parsed.count("help"). What is no option
// collects under the option `rest` of `all` if that is not empty. Throws UsageError for unknown
// options and wrong values.
boost::program_options::variables_map parse_options(
    const std::string& verb,
    const std::vector<std::string>& args,
    const boost::program_options::options_description& all,
    const std::string& rest = "");

}  // namespace bitlab
