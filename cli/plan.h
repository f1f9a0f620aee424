#pragma once
// The presets of configs/models, and what `bitlab plan` can be asked about.
#include <filesystem>
#include <string>
#include <vector>

namespace bitlab {

// Names of home/configs/models/*.toml.
std::vector<std::string> model_presets(const std::filesystem::path& home);

// The file of a preset; empty if there is none of that name.
std::filesystem::path preset_file(const std::string& name, const std::filesystem::path& home);

// What load_experiment() takes for `name`: the file of a model preset, else the name or file of an
// experiment, as it is. Throws UsageError for a name that is neither.
std::string plan_target(const std::string& name, const std::filesystem::path& home);

}  // namespace bitlab
