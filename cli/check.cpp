// bitlab check: every TOML file in configs/ loads, and every arm of it resolves.
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <iostream>
#include <set>

#include "cli/claims.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "cli/sweep_text.h"
#include "core/base/error.h"
#include "core/config/load.h"
#include "experiments/plan.h"
#include "experiments/plugin.h"
#include "experiments/plugin_loader.h"

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

// Below `home` as seen from there.
std::string shown_name(const fs::path& file, const fs::path& home) {
  const fs::path below = fs::absolute(file).lexically_normal().lexically_relative(home);
  return below.empty() || *below.begin() == ".." ? file.string() : below.string();
}

struct Checked {
  std::string shown;            // the file's name
  std::string error;            // empty: it is right
  std::string arms;             // what there is to say of one that is right
  std::set<std::string> reads;  // files with settings of it
};

Checked check_file(const fs::path& file,
                   const fs::path& home,
                   const std::vector<std::string>& plugins) {
  Checked checked{shown_name(file, home), "", "", {}};
  try {
    const Experiment experiment = load_experiment(file.string(), {}, home, plugins);
    check_claims(experiment);
    if (experiment.arms.size() > 1)
      checked.arms = fmt::format(": {}", fmt::join(experiment.arm_names(), " "));
    if (const std::string sweep = sweep_text_of(experiment.arms); !sweep.empty())
      checked.arms += "; sweep: " + sweep;
    for (const auto& [path, setting] : load_config(file, {}, home).file)
      if (setting.key.known()) checked.reads.insert(setting.key.source->name);
  } catch (const UsageError& e) {
    checked.error = e.what();
  }
  return checked;
}

// Tells of each file whether it is right. A part of others, such as data that only some models can
// learn from, need not be right alone: it is if a file is that extends it. Returns how many are
// wrong.
std::size_t tell(const std::vector<Checked>& files) {
  std::size_t wrong = 0;
  for (const Checked& file : files) {
    if (file.error.empty()) {
      std::cout << "ok      " << file.shown << file.arms << "\n";
      continue;
    }
    const auto whole = std::find_if(files.begin(), files.end(), [&](const Checked& other) {
      return other.error.empty() && other.reads.count(file.shown) > 0;
    });
    if (whole != files.end()) {
      std::cout << "ok      " << file.shown << ": as part of " << whole->shown << "\n";
      continue;
    }
    ++wrong;
    std::cout << "wrong   " << file.shown << "\n" << std::flush;
    std::cerr << file.error << "\n";
  }
  return wrong;
}

bool has_layers(const PluginLibrary& plugin) {
  for (const AnyRegistry* registry : std::initializer_list<const AnyRegistry*>{
           &models(), &linear_layers(), &norm_layers(), &weight_quantizers()})
    for (const EntryInfo& entry : registry->list())
      if (entry.origin.plugin == plugin.name) return true;
  return false;
}

// libmine.so -> libmine-double.so
fs::path double_twin(const fs::path& library) {
  return library.parent_path() /
         (library.stem().string() + "-double" + library.extension().string());
}

// Beside this program in the build folder, else where it is installed.
fs::path check_layers_program() {
  const fs::path folder = fs::read_symlink("/proc/self/exe").parent_path();
  for (const fs::path& place : {folder, folder.parent_path() / BITLAB_LIBEXEC})
    if (fs::exists(place / "bitlab-check-layers")) return place / "bitlab-check-layers";
  throw Error("bitlab check",
              "--layers must find the program bitlab-check-layers, but there is none",
              "build it: scripts/build build cli/bitlab-check-layers");
}

// Whether all layers are right, those of the loaded plugins too.
bool check_layers() {
  std::vector<std::string> command = {check_layers_program().string()};
  bool all_right = true;
  for (const PluginLibrary& plugin : loaded_plugins()) {
    if (!has_layers(plugin)) continue;
    const fs::path twin = double_twin(plugin.file);
    if (fs::exists(twin)) {
      command.push_back(twin.string());
      continue;
    }
    std::cout << "WRONG   plugin " << plugin.name << ": cannot be checked without " << twin.string()
              << ", its build in double precision\n";
    all_right = false;
  }
  std::cout << std::flush;
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, arguments[0], nullptr, nullptr, arguments.data(), environ);
  if (error != 0)
    throw Error(command[0], std::string("cannot be started: ") + std::strerror(error));
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 && all_right;
}

}  // namespace

int check_command(const std::vector<std::string>& args) {
  std::vector<std::string> names, plugins;
  po::options_description options("Options"), all;
  options.add_options()("help,h", "show this")("plugin", po::value(&plugins)->value_name("FILE"),
                                               "load this plugin as well")(
      "layers", "the backward of every layer and quantiser as well, against central differences");
  all.add(options).add_options()("files", po::value(&names));
  const po::variables_map parsed = parse_options("check", args, all, "files");
  if (parsed.count("help")) {
    std::cout << "usage: bitlab check [FILE.toml ...]\n\nReads every TOML file in configs/, or the "
                 "ones that are named, and resolves its arms. With --layers also\n"
                 "all layers, with those of plugins: libmine.so is checked by libmine-double.so "
                 "beside it.\n\n"
              << options;
    return 0;
  }
  const fs::path home = project_root();
  const std::vector<fs::path> files = names.empty()
                                          ? toml_files(home / "configs")
                                          : std::vector<fs::path>(names.begin(), names.end());
  std::vector<Checked> checked;
  for (const fs::path& file : files) checked.push_back(check_file(file, home, plugins));
  const std::size_t wrong = tell(checked);
  std::cout << files.size() - wrong << " of " << files.size() << " files are right\n";
  for (const std::string& plugin : plugins) load_plugin(plugin);
  if (parsed.count("layers") && !check_layers()) return 1;
  return wrong == 0 ? 0 : 1;
}

}  // namespace bitlab
