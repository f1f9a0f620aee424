// bitlab clean [NAME] [FILTER]: deletes what came to nothing, after asking.
#include "report/clean.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "core/base/error.h"
#include "report/filter.h"
#include "report/format.h"
#include "report/index.h"
#include "report/run_values.h"

namespace bitlab {

namespace po = boost::program_options;

namespace {

void list(const std::vector<Leftover>& all) {
  std::uintmax_t bytes = 0;
  for (const Leftover& leftover : all) {
    bytes += leftover.bytes;
    std::cout << fmt::format("{}  {}\n    {}\n", leftover.path.string(),
                             format_bytes(static_cast<std::int64_t>(leftover.bytes)),
                             leftover.what);
  }
  const auto runs = std::count_if(all.begin(), all.end(), [](const auto& l) { return l.run; });
  const auto finished =
      std::count_if(all.begin(), all.end(), [](const auto& l) { return l.finished; });
  std::cout << fmt::format("{} runs ({} of them FINISHED) and {} temporary files, {}\n", runs,
                           finished, all.size() - static_cast<std::size_t>(runs),
                           format_bytes(static_cast<std::int64_t>(bytes)));
}

bool agreed() {
  std::cerr << "delete them? [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "yes";
}

int remove_all(const std::vector<Leftover>& all) {
  std::size_t removed = 0;
  for (const Leftover& leftover : all) {
    if (remove_leftover(leftover))
      ++removed;
    else
      std::cerr << leftover.path.string() << ": a worker has it now or finished it, left alone\n";
  }
  std::cerr << removed << " deleted\n";
  return 0;
}

}  // namespace

int clean_command(const std::vector<std::string>& args) {
  std::vector<std::string> words;
  po::options_description options("Options");
  options.add_options()("help,h", "show this")("yes,y", "do not ask")(
      "interrupted", "runs too that the next 'bitlab run' would go on with")(
      "finished", "runs that are done too; without it they are never touched");
  po::options_description all = options;
  all.add_options()("words", po::value(&words));
  const po::variables_map parsed = parse_options("clean", args, all, "words");
  if (parsed.count("help") > 0) {
    std::cout
        << "usage: bitlab clean [NAME] [FILTER] [--interrupted] [--finished] [--yes]\n\n"
           "Lists runs that failed, unfinished runs of earlier plans and temporary files, and "
           "deletes them if you\nagree. Runs that are done or can go on stay, and so does "
           "what a living process holds.\n\n"
        << kFilterHelp << run_keys_help() << "\n"
        << options;
    return 0;
  }
  if (words.size() > 2)
    throw UsageError("bitlab clean", "at most an experiment and a filter must be named, but got " +
                                         std::to_string(words.size()) + " words");
  const auto folders =
      words.empty() ? experiment_folders(results_root()) : std::vector{find_results(words[0])};
  std::vector<Leftover> found;
  for (const auto& folder : folders)
    for (Leftover& leftover :
         find_leftovers(folder, words.size() > 1 ? words[1] : "",
                        {parsed.count("interrupted") > 0, parsed.count("finished") > 0}))
      found.push_back(std::move(leftover));
  if (found.empty()) {
    std::cerr << "nothing to clean\n";
    return 0;
  }
  list(found);
  if (parsed.count("yes") == 0 && !agreed()) {
    std::cerr << "nothing deleted\n";
    return 0;
  }
  return remove_all(found);
}

}  // namespace bitlab
