// bitlab claims: what the published experiments say of the claims that they put to the test.
#include "cli/claims.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <filesystem>
#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "core/base/error.h"
#include "report/claims.h"

namespace bitlab {

namespace fs = std::filesystem;
namespace po = boost::program_options;

namespace {

std::vector<Results> experiments_with_claims(const fs::path& folder) {
  if (!fs::is_directory(folder))
    throw UsageError("bitlab claims",
                     folder.string() + " must be a folder of experiments, but there is none");
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder))
    if (fs::exists(entry.path() / "plan.json")) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  std::vector<Results> experiments;
  for (const fs::path& path : found) {
    Results results = load_results(path);
    if (!results.claims.empty()) experiments.push_back(std::move(results));
  }
  return experiments;
}

}  // namespace

void check_claims(const Experiment& experiment) {
  std::vector<std::string> arms = experiment.arm_names();
  for (const Arm& arm : experiment.arms) arms.push_back(arm.name);
  for (const std::string& claim : experiment.spec().claims) check_claim(claim, arms);
}

int claims_command(const std::vector<std::string>& args) {
  std::vector<std::string> words;
  po::options_description options("Options"), all;
  options.add_options()("help,h", "show this");
  all.add(options).add_options()("folder", po::value(&words), "");
  const po::variables_map parsed = parse_options("claims", args, all, "folder");
  if (parsed.count("help") > 0) {
    std::cout << "usage: bitlab claims [FOLDER]\n\nJudges the claims of all experiments below "
                 "FOLDER (default: results/published) and\nprints the page, as Markdown.\n\n"
              << options;
    return 0;
  }
  if (words.size() > 1)
    throw UsageError("bitlab claims",
                     "one folder at most can be named, but got " + std::to_string(words.size()));
  const fs::path folder =
      words.empty() ? project_root() / "results" / "published" : fs::path(words.front());
  std::cout << claims_page(experiments_with_claims(folder));
  return 0;
}

}  // namespace bitlab
