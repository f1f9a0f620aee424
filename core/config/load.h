#pragma once
// TOML files and command-line overrides -> settings.
#include <filesystem>
#include <string>
#include <vector>

#include "core/config/settings.h"

namespace bitlab {

// Reads a TOML file with all that it extends, and the overrides of the command line over it.
//   extends = ["../models/a.toml", "b.toml"]
// Paths are relative to this file; later ones win, the file itself wins last. Overrides are
// path=value, where the value is TOML; a bare word is a string.
// Files are shown relative to `shown_from` where they lie below it. Throws one UsageError with
// everything that is wrong: files that cannot be read, TOML syntax, cycles, overrides without a
// "=", arms on the command line that the file does not have.
LoadedConfig load_config(const std::filesystem::path& file,
                         const std::vector<std::string>& overrides,
                         const std::filesystem::path& shown_from);

}  // namespace bitlab
