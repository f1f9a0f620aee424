#pragma once
// Where bitlab looks for things.
#include <filesystem>
#include <string>

namespace bitlab {

// The project: BITLAB_HOME, which the launcher sets, else the current folder.
std::filesystem::path project_root();

// Where runs land: BITLAB_RESULTS, else results/ in the project.
std::filesystem::path results_root();

// The folder of an experiment's results: NAME under results_root(), or else a folder that `name` is
// the path of. Throws UsageError that lists what there is if neither holds a plan.json.
std::filesystem::path find_results(const std::string& name);

// What RUN means on the command line, for help texts.
inline constexpr const char* kRunHelp =
    "RUN is a run folder, or EXPERIMENT/ARM[/SEED] of the last plan, e.g. "
    "babygpt-vs-babybitnet/babyBitNet/1; without\n"
    "SEED the first.\n";

// The folder of a run. Throws UsageError that lists the arms or seeds there are.
std::filesystem::path find_run(const std::string& name);

}  // namespace bitlab
