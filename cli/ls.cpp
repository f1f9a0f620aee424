// bitlab ls: the experiments that were run, or the runs of one.
#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "core/base/error.h"
#include "report/compare.h"
#include "report/filter.h"
#include "report/run_values.h"
#include "report/overview.h"

namespace bitlab {

namespace po = boost::program_options;

namespace {

int list_experiments() {
  const std::vector<std::filesystem::path> folders = experiment_folders(results_root());
  if (folders.empty()) {
    std::cerr << results_root().string() << " holds no results yet; bitlab run NAME makes some\n";
    return 0;
  }
  std::vector<Overview> overviews;
  for (const auto& folder : folders) overviews.push_back(overview(folder));
  std::cout << plain_text(overview_table(overviews));
  return 0;
}

int list_runs(const std::string& name, const std::string& filter) {
  const std::vector<RunRecord> all = read_index(find_results(name));
  const std::vector<RunRecord> runs = filtered(all, filter);
  std::cout << plain_text(to_text_table(list_table(runs)));
  std::cerr << fmt::format("{} of {} runs\n", runs.size(), all.size());
  return 0;
}

}  // namespace

int ls_command(const std::vector<std::string>& args) {
  std::vector<std::string> words;
  po::options_description options("Options");
  options.add_options()("help,h", "show this");
  po::options_description all = options;
  all.add_options()("words", po::value(&words));
  if (parse_options("ls", args, all, "words").count("help") > 0) {
    std::cout << "usage: bitlab ls [NAME] [FILTER]\n\n"
                 "The experiments that were run, with their runs counted; with NAME its runs, one "
                 "a line.\n\n"
              << kFilterHelp << run_keys_help() << "\n"
              << options;
    return 0;
  }
  if (words.size() > 2)
    throw UsageError("bitlab ls",
                     "at most an experiment and a filter must be named, but got " +
                         std::to_string(words.size()) + " words",
                     "put the filter in quotes");
  if (words.empty()) return list_experiments();
  return list_runs(words[0], words.size() > 1 ? words[1] : "");
}

}  // namespace bitlab
