#pragma once
// Where bitlab looks for things.
#include <filesystem>
#include <string>

namespace bitlab {

// The project, which holds configs/: BITLAB_HOME, which the launcher sets, else the current folder,
// else PREFIX/share/bitlab where this program is installed.
std::filesystem::path project_root();

// Where runs land: BITLAB_RESULTS, else results/ in BITLAB_HOME, else in the current folder.
std::filesystem::path results_root();

// The folder of an experiment's results: NAME under results_root(), or else a folder that `name` is
// the path of. Throws UsageError that lists what there is if neither holds a plan.json.
std::filesystem::path find_results(const std::string& name);

// What RUN means on the command line, for help texts.
inline constexpr const char* kRunHelp =
    "RUN is the beginning of a run's id that is unique (a636e21d-1, a636; bitlab ls NAME lists "
    "them),\n"
    "EXPERIMENT/ARM[/SEED] of the last plan (babygpt-vs-babybitnet/babyBitNet/1; without SEED the "
    "first),\n"
    "EXPERIMENT/ID, or a run folder.\n";

// The folder of a run. Throws UsageError that lists the arms, seeds or ids there are.
std::filesystem::path find_run(const std::string& name);

}  // namespace bitlab
