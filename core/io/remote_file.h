#pragma once
// Files that users download: where they come from, where they are kept, and exactly which bytes
// they must have.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bitlab {

struct RemoteFile {
  std::string owner;              // what it is a file of: its folder in the cache
  std::string name;               // in the cache and in mirrors
  std::vector<std::string> urls;  // tried in order
  std::uint64_t bytes = 0;
  std::string sha256;
};

// BITLAB_CACHE, else $XDG_CACHE_HOME/bitlab, else ~/.cache/bitlab. Throws Error if none is set.
std::filesystem::path cache_folder();
// Where a file is kept once it was fetched: CACHE/OWNER/NAME.
std::filesystem::path cached_path(const RemoteFile& file);
// BITLAB_MIRROR: folders separated by ':' that are searched, with all below them, before the
// network is used.
std::vector<std::filesystem::path> mirror_folders();

using FetchProgress =
    std::function<void(const std::string& owner, std::uint64_t done, std::uint64_t total)>;

struct Fetched {
  std::filesystem::path path;
  std::vector<std::string> notes;  // whatever was not as it should be; show them to the user
};

// A file with the right hash: from the cache, else from a mirror (used where it is), else
// downloaded into the cache. A cached file with another hash is fetched again, and a note says so.
// A copy whose lines end in CR LF and that is right otherwise is taken, with a note. Throws Error
// with all the reasons if no way works.
Fetched fetch(const RemoteFile& file, const FetchProgress& progress = {});

// The same, but empty if it is neither in the cache nor in a mirror. `notes` gets what is wrong
// with what is there.
std::optional<Fetched> find_local(const RemoteFile& file);
std::optional<Fetched> find_local(const RemoteFile& file, std::vector<std::string>& notes);

// Makes every "\r\n" a "\n"; returns how many.
std::size_t normalise_line_ends(std::string& text);
// What to tell of it.
std::string crlf_note(const std::string& where, std::size_t count);

}  // namespace bitlab
