// bitlab table NAME: the result table of an experiment, finished or not; with --rows, --cols,
// --metric or --agg a table of one metric by any settings.
#include "report/table.h"

#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "core/base/error.h"
#include "report/filter.h"
#include "report/pivot.h"
#include "report/results.h"
#include "report/run_values.h"

namespace bitlab {

namespace po = boost::program_options;

namespace {

bool wants_pivot(const po::variables_map& parsed) {
  for (const char* name : {"rows", "cols", "metric", "agg"})
    if (parsed.count(name) > 0) return true;
  return false;
}

std::string pivot(const Results& results,
                  const std::string& filter,
                  const PivotRequest& request,
                  TableFormat format) {
  const std::vector<RunRecord> runs = filtered(planned_runs(index_runs(results)), filter);
  const std::string table = pivot_table(runs, request, format);
  std::cerr << fmt::format("{}: {} over the runs that are done; losses in nats/{}\n",
                           request.metric, request.agg, results.data.unit);
  return table;
}

}  // namespace

int table_command(const std::vector<std::string>& args) {
  std::string format;
  PivotRequest request;
  std::vector<std::string> words;
  po::options_description options("Options");
  options.add_options()("help,h", "show this")(
      "format,f", po::value(&format)->default_value("md")->value_name("md|csv|tex|json"),
      "how to write it")("rows", po::value(&request.rows)->value_name("KEY"),
                         "one row a value of this; arm if not told")(
      "cols", po::value(&request.cols)->value_name("KEY"), "one column a value of this")(
      "metric", po::value(&request.metric)->value_name("KEY"),
      "in the cells; val_loss if not told")(
      "agg", po::value(&request.agg)->value_name("LIST"),
      "of mean, sd, n, min, max over the runs of a cell; mean,sd,n if not told");
  po::options_description all = options;
  all.add_options()("words", po::value(&words));
  const po::variables_map parsed = parse_options("table", args, all, "words");
  if (parsed.count("help") > 0) {
    std::cout << "usage: bitlab table NAME [--format md|csv|tex|json]\n"
                 "       bitlab table NAME [FILTER] --rows KEY --cols KEY --metric KEY --agg LIST "
                 "[--format F]\n\n"
              << kFilterHelp << run_keys_help() << "\n"
              << options;
    return 0;
  }
  const bool by_settings = wants_pivot(parsed);
  if (words.empty() || words.size() > (by_settings ? 2 : 1))
    throw UsageError(
        "bitlab table",
        "one experiment must be named, but got " + std::to_string(words.size()) + " words",
        words.size() == 2 ? "a filter needs --rows, --cols, --metric or --agg"
                          : "bitlab table NAME [--format md|csv|tex|json]");
  const TableFormat table_format = parse_table_format(format);
  const Results results = load_results(find_results(words.front()), Metrics::None);
  std::cout << (by_settings
                    ? pivot(results, words.size() > 1 ? words[1] : "", request, table_format)
                    : format_table(results, table_format));
  return 0;
}

}  // namespace bitlab
