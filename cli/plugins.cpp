// bitlab plugins: everything that settings can name, built-in and of plugins.
#include <algorithm>
#include <iostream>

#include "cli/commands.h"
#include "cli/options.h"
#include "core/config/resolve.h"
#include "experiments/plugin.h"
#include "experiments/plugin_loader.h"

namespace bitlab {

namespace po = boost::program_options;

namespace {

std::string allowed(const FieldInfo& info) {
  std::string text;
  for (const std::string& choice : info.choices) text += (text.empty() ? ": " : " | ") + choice;
  return text;
}

void show_fields(const EntryInfo& entry) {
  const auto settings = entry.make_config();
  for (const FieldState& field : list_fields(*settings))
    std::cout << "        " << field.path << " = " << field.toml << "    " << field.info.help
              << " (" << field.type << allowed(field.info) << ")\n";
}

void show(const AnyRegistry& registry, bool fields) {
  const std::vector<EntryInfo> entries = registry.list();
  std::cout << registry.kind() << "\n";
  std::size_t widest = 0;
  for (const EntryInfo& entry : entries) widest = std::max(widest, entry.name.size());
  for (const EntryInfo& entry : entries) {
    std::string name = entry.name;
    name.resize(widest, ' ');
    std::cout << "    " << name << "  " << entry.version << "  "
              << (entry.origin.built_in() ? "built in" : entry.origin.library) << "  "
              << entry.description << "\n";
    if (fields) show_fields(entry);
  }
  if (entries.empty()) std::cout << "    (none)\n";
}

}  // namespace

int plugins_command(const std::vector<std::string>& args) {
  std::vector<std::string> files;
  po::options_description options("Options");
  options.add_options()("help,h", "show this")("plugin", po::value(&files)->value_name("FILE"),
                                               "load this plugin first")(
      "fields", "the settings of each entry as well");
  const po::variables_map parsed = parse_options("plugins", args, options);
  if (parsed.count("help")) {
    std::cout
        << "usage: bitlab plugins [--plugin FILE ...] [--fields]\n\nEvery model, layer, "
           "quantiser, optimiser, schedule, data source, tokenizer, task and observer by\n"
           "name, with its version and where it comes from. docs/plugins.md says how to write "
           "one.\n\n"
        << options;
    return 0;
  }
  for (const std::string& file : files) load_plugin(file);
  for (const PluginLibrary& plugin : loaded_plugins())
    std::cout << "plugin " << plugin.name << " " << plugin.version << "  " << plugin.file.string()
              << "\n";
  bool first = loaded_plugins().empty();
  for (const AnyRegistry* registry : registries()) {
    if (!first) std::cout << "\n";
    first = false;
    show(*registry, parsed.count("fields") > 0);
  }
  return 0;
}

}  // namespace bitlab
