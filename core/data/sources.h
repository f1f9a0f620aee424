#pragma once
// Texts by name: where they come from, where they are kept, and exactly which bytes a run was
// trained on.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/registry.h"
#include "core/config/fields.h"

namespace bitlab {

// The plugin point `data source`.
struct Source {
  std::string name;
  std::string file_name;          // in the cache and in mirrors
  std::vector<std::string> urls;  // tried in order
  std::uint64_t bytes = 0;
  std::string sha256;
  std::string licence;
  std::string description;
  std::function<std::string()> generate;  // instead of urls: text that the program makes itself
  int version = 1;                        // for lists: the content's hash enters the run id
  // Only of a source with settings, which stand in the table data.NAME; then it has no sha256, and
  // this takes the place of `generate`.
  MakeConfig make_config = no_settings;
  std::function<std::string(const Configurable& config)> generate_with = {};
};

//   tinyshakespeare, synthetic-plays
Registry<Source>& data_sources();

// Throws UsageError that lists the names. A name with a '/' is a text file of one's own.
Source find_source(const std::string& name);

// BITLAB_CACHE, else $XDG_CACHE_HOME/bitlab, else ~/.cache/bitlab.
std::filesystem::path cache_folder();
// Where a source is kept once it was fetched: CACHE/NAME/FILE_NAME.
std::filesystem::path cached_path(const Source& source);
// BITLAB_MIRROR: folders separated by ':' that are searched, with all below them, before the
// network is used.
std::vector<std::filesystem::path> mirror_folders();

using FetchProgress =
    std::function<void(const std::string& name, std::uint64_t done, std::uint64_t total)>;

struct Fetched {
  std::filesystem::path path;
  std::vector<std::string> notes;  // whatever was not as it should be; show them to the user
};

// A file with the source's hash: from the cache, else from a mirror (used where it is), else
// downloaded or generated into the cache. A cached file with another hash is fetched again, and a
// note says so. A copy whose lines end in CR LF and that is right otherwise is taken, with a note.
// Throws Error if no way works.
Fetched fetch(const Source& source, const FetchProgress& progress = {});

// The file if it is in the cache or in a mirror already, and right.
std::optional<Fetched> find_local(const Source& source);

struct SourceText {
  std::string name;         // of the source that was used
  std::string text;         // lines end in \n
  std::string sha256;       // of the text
  std::uint64_t bytes = 0;  // of the text
  std::vector<std::string>
      notes;  // why earlier sources were not used, and what was changed; show them
};

// The first source that can be had. Throws Error with all the reasons if none can.
SourceText open_first(const std::vector<Source>& candidates, const FetchProgress& progress = {});
SourceText open_first(const std::vector<std::string>& names, const FetchProgress& progress = {});

// Makes every "\r\n" a "\n"; returns how many.
std::size_t normalise_line_ends(std::string& text);

}  // namespace bitlab
