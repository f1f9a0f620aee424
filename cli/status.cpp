// bitlab status: what runs now, here or started from another terminal.
#include <unistd.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <chrono>
#include <iostream>
#include <thread>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "core/base/error.h"
#include "experiments/status_screen.h"
#include "report/labels.h"
#include "report/overview.h"

namespace bitlab {

namespace po = boost::program_options;

namespace {

bool unfinished(const Overview& one) {
  return one.count(SeedState::Running) + one.count(SeedState::Queued) +
             one.count(SeedState::Interrupted) >
         0;
}

std::vector<Overview> look(const std::vector<std::filesystem::path>& folders) {
  std::vector<Overview> all;
  for (const auto& folder : folders) all.push_back(overview(folder));
  return all;
}

// With a name that experiment; without one those that are not finished.
std::string status_page(const std::vector<Overview>& all, bool named) {
  std::string page;
  for (const Overview& one : all)
    if (named || unfinished(one)) page += (page.empty() ? "" : "\n") + status_text(one);
  return page.empty() ? "nothing runs and nothing waits\n" : page;
}

// The lines of a page that a terminal has room for, none of them wrapped.
std::string fitted(const std::string& page, TerminalSize size, std::size_t& lines) {
  std::string out;
  lines = 0;
  for (std::size_t begin = 0; begin < page.size() && lines + 1 < size.rows; ++lines) {
    const std::size_t end = page.find('\n', begin);
    out += shortened(page.substr(begin, end - begin), size.columns - 1) + "\n";
    begin = end + 1;
  }
  return out;
}

// Redraws until everything has ended; Ctrl-C ends it, and nothing else.
void watch(const std::vector<std::filesystem::path>& folders, bool named) {
  std::size_t drawn = 0;
  for (;;) {
    const std::vector<Overview> all = look(folders);
    std::size_t lines = 0;
    const std::string page = fitted(status_page(all, named), terminal_size(STDOUT_FILENO), lines);
    if (drawn > 0) std::cout << "\x1b[" << drawn << "A\r\x1b[J";
    std::cout << page << std::flush;
    drawn = lines;
    if (std::none_of(all.begin(), all.end(), unfinished)) return;
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

}  // namespace

int status_command(const std::vector<std::string>& args) {
  std::vector<std::string> names;
  po::options_description options("Options");
  options.add_options()("help,h", "show this")("watch,w",
                                               "on a terminal: once a second, until all has ended");
  po::options_description all = options;
  all.add_options()("name", po::value(&names));
  const po::variables_map parsed = parse_options("status", args, all, "name");
  if (parsed.count("help") > 0) {
    std::cout << "usage: bitlab status [NAME] [--watch]\n\n"
                 "What runs: step, losses, speed, time left; without NAME, of all experiments that "
                 "are not finished.\n"
                 "It only looks, so it may be asked from another terminal at any time.\n\n"
              << options;
    return 0;
  }
  if (names.size() > 1)
    throw UsageError("bitlab status", "at most one experiment must be named, but got " +
                                          std::to_string(names.size()));
  const bool named = !names.empty();
  const auto folders =
      named ? std::vector{find_results(names.front())} : experiment_folders(results_root());
  if (parsed.count("watch") > 0 && ::isatty(STDOUT_FILENO) != 0)
    watch(folders, named);
  else
    std::cout << status_page(look(folders), named);
  return 0;
}

}  // namespace bitlab
