#pragma once
// The options of one verb, on boost::program_options.
#include <boost/program_options.hpp>
#include <functional>
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

// Calls `verb`, which shall call parse_options() before it does anything; `see` gets the options
// that it gave there, and nothing after that call is run.
void look_at_options(
    const std::function<void()>& verb,
    const std::function<void(const boost::program_options::options_description&)>& see);

}  // namespace bitlab
