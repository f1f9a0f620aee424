// bitlab export NAME [FILTER]: all metrics as CSV.
#include "report/export.h"

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

int export_command(const std::vector<std::string>& args) {
  std::string out;
  std::vector<std::string> words;
  po::options_description options("Options");
  options.add_options()("help,h", "show this")("out,o", po::value(&out)->value_name("DIR"),
                                               "where to; csv/ in the results folder if not told");
  po::options_description all = options;
  all.add_options()("words", po::value(&words));
  if (parse_options("export", args, all, "words").count("help") > 0) {
    std::cout << "usage: bitlab export NAME [FILTER] [-o DIR]\n\n"
                 "Writes runs.csv (one row a run), train.csv, eval.csv and quant.csv (the rows of "
                 "metrics.h5,\nwith run, arm, seed and swept settings before them), of the last "
                 "plan.\n\n"
              << kFilterHelp << run_keys_help() << "\n"
              << options;
    return 0;
  }
  if (words.empty() || words.size() > 2)
    throw UsageError("bitlab export",
                     "an experiment and at most a filter must be named, but got " +
                         std::to_string(words.size()) + " words",
                     "bitlab export NAME \"state=done\"");
  const std::filesystem::path results = find_results(words[0]);
  const std::filesystem::path folder =
      out.empty() ? results / "csv" : std::filesystem::absolute(out).lexically_normal();
  const std::vector<RunRecord> runs =
      filtered(planned_runs(read_index(results)), words.size() > 1 ? words[1] : "");
  const ExportedRows rows = export_csv(runs, folder);
  std::cerr << fmt::format("{} runs, {} rows of train.csv, {} of eval.csv, {} of quant.csv\n",
                           rows.runs, rows.train, rows.eval, rows.quant);
  std::cout << folder.string() << "\n";
  return 0;
}

}  // namespace bitlab
