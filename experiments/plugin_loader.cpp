#include "experiments/plugin_loader.h"

#include <elf.h>

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <cstring>
#include <memory>

#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/config/problems.h"
#include "experiments/plugin.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

// Never destroyed: registries, exceptions and layers hold code of these libraries to the end.
std::vector<boost::dll::shared_library>& handles() {
  static auto* const all = new std::vector<boost::dll::shared_library>;
  return *all;
}

std::vector<PluginLibrary>& libraries() {
  static std::vector<PluginLibrary> all;
  return all;
}

const char* const kHint = "see docs/plugins.md";

// The text that BITLAB_PLUGIN left in the file; empty if there is none.
std::string abi_of(const std::string& file) {
  const std::string ours = BITLAB_PLUGIN_ABI;
  const std::size_t at = file.find(ours.substr(0, ours.find(": ") + 2));
  return at == std::string::npos ? "" : std::string(file.c_str() + at);
}

void check_abi(const std::string& where, const std::string& file) {
  const std::string theirs = abi_of(file), ours = BITLAB_PLUGIN_ABI;
  if (theirs.empty())
    throw UsageError(where, "must be a plugin of bitlab, but the file has no bitlab_plugin_info",
                     kHint);
  if (theirs == ours) return;
  const auto versions = [](const std::string& abi) { return abi.substr(abi.find(": ") + 2); };
  throw UsageError(where,
                   "must be built for this bitlab (" + versions(ours) +
                       "), but was built for another (" + versions(theirs) + ")",
                   "build the plugin again");
}

// The system crashes on a library that is cut short, e.g. one that is being copied.
bool cut_short(const std::string& file) {
  Elf64_Ehdr header;
  if (file.size() < sizeof header || file.compare(0, SELFMAG, ELFMAG) != 0) return true;
  std::memcpy(&header, file.data(), sizeof header);
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    const std::size_t at = header.e_phoff + i * header.e_phentsize;
    if (at > file.size() || file.size() - at < sizeof segment) return true;
    std::memcpy(&segment, file.data() + at, sizeof segment);
    if (segment.p_offset > file.size() || file.size() - segment.p_offset < segment.p_filesz)
      return true;
  }
  return false;
}

boost::dll::shared_library& open(const std::string& where, const fs::path& file) {
  using boost::dll::load_mode::rtld_local;
  using boost::dll::load_mode::rtld_now;
  try {
    handles().emplace_back(file.string(), rtld_now | rtld_local);
    return handles().back();
  } catch (const std::exception& e) {
    throw UsageError(where, std::string("cannot be loaded: ") + e.what(), kHint);
  }
}

void run_entry_point(const std::string& where,
                     boost::dll::shared_library& library,
                     PluginHost& host) {
  try {
    library.get<void(PluginHost&)>("bitlab_plugin")(host);
    host.commit();
  } catch (const std::exception& e) {
    throw UsageError(where, std::string("its entry point threw: ") + e.what());
  } catch (...) {
    throw UsageError(where, "its entry point threw something that is no std::exception");
  }
}

}  // namespace

const std::vector<PluginLibrary>& loaded_plugins() { return libraries(); }

const PluginLibrary& load_plugin(const fs::path& library) {
  std::error_code error;
  const fs::path file = fs::weakly_canonical(fs::absolute(library), error);
  for (const PluginLibrary& other : libraries())
    if (other.file == file) return other;
  const std::string where = "plugin " + library.string();
  if (!fs::is_regular_file(file, error))
    throw UsageError(where, "must be a shared library, but there is no such file");
  const std::string bytes = read_file(file);
  check_abi(where, bytes);
  if (cut_short(bytes))
    throw UsageError(where, "must be a whole 64-bit ELF library, but is cut short or is none",
                     "copy or build it again");

  boost::dll::shared_library& handle = open(where, file);
  for (const char* symbol : {"bitlab_plugin_info", "bitlab_plugin"})
    if (!handle.has(symbol))
      throw UsageError(where, std::string("must have the symbol ") + symbol + ", but has not",
                       kHint);
  const auto& info = handle.get<const PluginInfo>("bitlab_plugin_info");
  PluginLibrary loaded{info.name ? info.name : "", info.version, file, sha256_hex(bytes)};
  if (loaded.name.empty()) throw UsageError(where, "must have a name, but has none", kHint);
  for (const PluginLibrary& other : libraries())
    if (other.name == loaded.name)
      throw UsageError(where, "plugins must have different names, but " + other.file.string() +
                                  " is called '" + loaded.name + "' too");
  PluginHost host({loaded.name, loaded.version, file.string()});
  run_entry_point(where, handle, host);
  libraries().reserve(64);
  libraries().push_back(std::move(loaded));
  return libraries().back();
}

namespace {

// The files that one source of settings names, as absolute paths in place of what was written.
void load_named(Setting& setting, Problems& problems) {
  Value& value = setting.value;
  if (value.kind == Value::Kind::String) {
    const Value item = value;  // plugins=libmine.so on the command line
    value.kind = Value::Kind::List;
    value.items = {item};
  }
  for (Value& item : value.items) {
    if (item.kind != Value::Kind::String) continue;  // the reader says what is wrong with it
    const fs::path folder = item.place.known() ? fs::path(item.place.source->folder) : fs::path();
    try {
      item.text = load_plugin(folder / item.text).file.string();
    } catch (const UsageError& e) {
      problems.add(item.place, e.what());
    }
  }
}

}  // namespace

void load_plugins(LoadedConfig& config, const std::vector<std::string>& more) {
  Problems problems;
  for (Settings* settings : {&config.file, &config.command_line}) {
    const auto found = settings->find("plugins");
    if (found != settings->end()) load_named(found->second, problems);
  }
  problems.throw_if_any();
  if (more.empty()) return;
  auto source = std::make_shared<ConfigText>();
  source->name = "command line";
  source->command_line = true;
  Setting setting;
  for (const Settings* settings : {&config.file, &config.command_line})
    if (const auto found = settings->find("plugins"); found != settings->end())
      setting = found->second;
  setting.value.kind = Value::Kind::List;
  setting.key = setting.value.place = {source, 1, 1, 1};
  for (const std::string& file : more) {
    source->text += (source->text.empty() ? "--plugin " : " --plugin ") + file;
    Value item;
    item.kind = Value::Kind::String;
    item.text = item.written = load_plugin(file).file.string();
    item.place = setting.value.place;
    setting.value.items.push_back(item);
  }
  config.command_line.insert_or_assign("plugins", setting);
}

namespace {

// The strings of a field: "a" or ["a", "b"]. Names of entries need no escapes.
std::vector<std::string> names_in(const std::string& toml) {
  std::vector<std::string> names;
  for (std::size_t at = toml.find('"'); at != std::string::npos;) {
    const std::size_t end = toml.find('"', at + 1);
    if (end == std::string::npos) break;
    names.push_back(toml.substr(at + 1, end - at - 1));
    at = toml.find('"', end + 1);
  }
  return names;
}

// Ids have told the versions of these from the start.
bool always_told(const std::string& kind) {
  return kind == models().kind() || kind == linear_layers().kind() ||
         kind == weight_quantizers().kind();
}

}  // namespace

std::vector<UsedEntry> used_entries(const std::vector<FieldState>& fields,
                                    const std::string& source) {
  std::vector<UsedEntry> used;
  for (const FieldState& field : fields) {
    if (field.info.registry.empty()) continue;
    for (const AnyRegistry* registry : registries()) {
      if (registry->kind() != field.info.registry) continue;
      const std::vector<std::string> names = names_in(field.toml);
      for (const EntryInfo& entry : registry->list()) {
        if (std::find(names.begin(), names.end(), entry.name) == names.end()) continue;
        if (registry == &data_sources() && !source.empty() && entry.name != source) continue;
        used.push_back({registry->kind(), entry});
      }
    }
  }
  return used;
}

std::string used_versions(const std::vector<UsedEntry>& used) {
  std::string text;
  for (const auto& [kind, entry] : used) {
    const std::string version = " version=" + std::to_string(entry.version);
    const bool other_task = kind == tasks().kind() && entry.name != TaskConfig{}.name;
    if (!entry.origin.built_in())
      text += kind + " " + entry.name + version + " of plugin " + entry.origin.plugin + " " +
              std::to_string(entry.origin.version) + "\n";
    else if (other_task || (entry.version > 1 && !always_told(kind)))
      text += kind + " " + entry.name + version + "\n";
  }
  return text;
}

std::vector<PluginLibrary> used_libraries(const std::vector<UsedEntry>& used) {
  std::vector<PluginLibrary> libraries;
  for (const PluginLibrary& library : loaded_plugins())
    if (std::any_of(used.begin(), used.end(),
                    [&](const UsedEntry& u) { return u.entry.origin.plugin == library.name; }))
      libraries.push_back(library);
  return libraries;
}

}  // namespace bitlab
