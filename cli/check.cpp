// bitlab check: every TOML file in configs/ loads, and every arm of it resolves.
#include <algorithm>
#include <filesystem>
#include <iostream>

#include "cli/claims.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "cli/sweep_text.h"
#include "core/base/error.h"
#include "experiments/plan.h"

namespace bitlab {

namespace fs = std::filesystem;
namespace po = boost::program_options;

namespace {

std::vector<fs::path> toml_files(const fs::path& folder) {
  if (!fs::is_directory(folder))
    throw UsageError("bitlab check", folder.string() + " must be a folder, but there is none",
                     "set BITLAB_HOME to the project, or start scripts/bitlab");
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

bool check_file(const fs::path& file, const fs::path& home) {
  const std::string shown = file.lexically_relative(home).string();
  try {
    const Experiment experiment = load_experiment(file.string(), {}, home);
    check_claims(experiment);
    std::cout << "ok      " << shown;
    if (experiment.arms.size() > 1) {
      std::cout << ":";
      for (const std::string& arm : experiment.arm_names()) std::cout << " " << arm;
    }
    if (const std::string sweep = sweep_text_of(experiment.arms); !sweep.empty())
      std::cout << "; sweep: " << sweep;
    std::cout << "\n";
    return true;
  } catch (const UsageError& e) {
    std::cout << "wrong   " << shown << "\n" << std::flush;
    std::cerr << e.what() << "\n";
    return false;
  }
}

}  // namespace

int check_command(const std::vector<std::string>& args) {
  po::options_description options(
      "bitlab check: reads every TOML file in configs/ and resolves its arms");
  options.add_options()("help,h", "show this");
  if (parse_options("check", args, options).count("help")) {
    std::cout << options;
    return 0;
  }
  const fs::path home = project_root();
  std::size_t wrong = 0;
  const std::vector<fs::path> files = toml_files(home / "configs");
  for (const fs::path& file : files) wrong += !check_file(file, home);
  std::cout << files.size() - wrong << " of " << files.size() << " files are right\n";
  return wrong == 0 ? 0 : 1;
}

}  // namespace bitlab
