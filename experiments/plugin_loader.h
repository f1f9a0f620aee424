#pragma once
// Shared libraries with plugins: finding, checking, loading, and who uses what of them.
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/registry.h"
#include "core/config/resolve.h"
#include "core/config/settings.h"

namespace bitlab {

struct PluginLibrary {
  std::string name;  // as it calls itself
  int version = 0;
  std::filesystem::path file;  // absolute
  std::string sha256;
};

// Loads a library and registers what it adds, all or nothing; one that is loaded already is left as
// it is. It is never unloaded. Throws UsageError if the file is not there, is no plugin, was made
// for another bitlab, compiler or scalar (nothing of it is run then), or fails in its entry point.
const PluginLibrary& load_plugin(const std::filesystem::path& library);

// In the order in which they were loaded.
const std::vector<PluginLibrary>& loaded_plugins();

// Loads what the setting `plugins` names, relative to the file that says so, and then `more`,
// relative to the current folder. Afterwards the setting lists all of them by absolute path. Throws
// one UsageError with everything that is wrong, at its place.
void load_plugins(LoadedConfig& config, const std::vector<std::string>& more = {});

// An entry of a registry that an arm uses.
struct UsedEntry {
  std::string kind;
  EntryInfo entry;
};

// The entries that the fields name. Of data sources the one that was opened, if that is known.
std::vector<UsedEntry> used_entries(const std::vector<FieldState>& fields,
                                    const std::string& source);

// What of `used` enters a run's id beside its settings, a line each: entries of plugins with both
// versions, and built-in ones of the kinds that ids did not know at first, from version 2 on.
std::string used_versions(const std::vector<UsedEntry>& used);

// The plugin libraries that `used` comes from, each once.
std::vector<PluginLibrary> used_libraries(const std::vector<UsedEntry>& used);

}  // namespace bitlab
