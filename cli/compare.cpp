// bitlab compare NAME [FILTER]: one row a run.
#include "report/compare.h"

#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "core/base/error.h"
#include "report/filter.h"
#include "report/run_values.h"

namespace bitlab {

namespace po = boost::program_options;

int compare_command(const std::vector<std::string>& args) {
  std::string format, sort;
  std::vector<std::string> words;
  po::options_description options("Options");
  options.add_options()("help,h", "show this")("sort,s", po::value(&sort)->value_name("KEYS"),
                                               "KEY[,-KEY ...]; -KEY: the largest first")(
      "only-changed", "leave out columns with one value in all rows")(
      "format,f", po::value(&format)->default_value("md")->value_name("md|csv|tex|json"),
      "how to write it");
  po::options_description all = options;
  all.add_options()("words", po::value(&words));
  const po::variables_map parsed = parse_options("compare", args, all, "words");
  if (parsed.count("help") > 0) {
    std::cout << "usage: bitlab compare NAME [FILTER] [--sort KEY[,-KEY]] [--only-changed] "
                 "[--format F]\n\n"
                 "One row a run: what was set differently, how it stands, what came of it.\n\n"
              << kFilterHelp << run_keys_help() << "\n"
              << options;
    return 0;
  }
  if (words.empty() || words.size() > 2)
    throw UsageError("bitlab compare",
                     "an experiment and at most a filter must be named, but got " +
                         std::to_string(words.size()) + " words",
                     "bitlab compare NAME \"val_loss<2 and arm=bit\"");
  const TableFormat table_format = parse_table_format(format);
  const Results results = load_results(find_results(words[0]), Metrics::None);
  const std::vector<RunRecord> known = index_runs(results);
  std::vector<RunRecord> runs = filtered(known, words.size() > 1 ? words[1] : "");
  if (parsed.count("sort") > 0) sort_runs(runs, sort);
  std::cout << format_values(compare_table(runs, parsed.count("only-changed") > 0), table_format);
  std::cerr << fmt::format("{} of {} runs; losses in nats/{}\n", runs.size(), known.size(),
                           results.data.unit);
  return 0;
}

}  // namespace bitlab
