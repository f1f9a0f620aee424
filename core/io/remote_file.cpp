#include "core/io/remote_file.h"

#include <cstdlib>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/io/download.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Whether what lies there is this file, as it is or without its CR characters.
struct Match {
  bool right = false;
  std::string sha256;       // of what lies there
  std::size_t removed = 0;  // CR characters that stand in the way
};

Match match(const fs::path& path, const RemoteFile& file) {
  Match result{false, sha256_file(path), 0};
  if (result.sha256 == file.sha256) return {true, result.sha256, 0};
  // With a CR at the end of every line a text is at most twice as long.
  const std::uint64_t size = fs::file_size(path);
  if (size <= file.bytes || size > 2 * file.bytes) return result;
  std::string text = read_file(path);
  result.removed = normalise_line_ends(text);
  result.right = result.removed > 0 && sha256_hex(text) == file.sha256;
  return result;
}

Fetched found(const fs::path& path, const Match& match, std::vector<std::string> notes) {
  if (match.removed > 0) notes.push_back(crlf_note(path.string(), match.removed));
  return {path, std::move(notes)};
}

std::optional<Fetched> from_mirrors(const RemoteFile& file, std::vector<std::string>& notes) {
  for (const fs::path& folder : mirror_folders()) {
    std::error_code error;
    const auto options = fs::directory_options::skip_permission_denied;
    fs::recursive_directory_iterator entry(folder, options, error);
    if (error) notes.push_back("mirror " + folder.string() + ": " + error.message());
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
      if (entry->path().filename() != file.name || !entry->is_regular_file(error)) continue;
      const Match m = match(entry->path(), file);
      if (m.right) return found(entry->path(), m, notes);
    }
  }
  return std::nullopt;
}

// Downloads from the first address that works.
void from_network(const RemoteFile& file,
                  const FetchProgress& progress,
                  std::vector<std::string>& notes) {
  std::string reasons;
  for (const std::string& note : notes) reasons += note + "; ";
  if (!mirror_folders().empty()) reasons += "no mirror has a " + file.name + " with its sha256; ";
  const std::size_t before = reasons.size();
  for (const std::string& url : file.urls) {
    try {
      const auto report = [&](std::uint64_t done, std::uint64_t total) {
        if (progress) progress(file.owner, done, total);
      };
      download({url, cached_path(file), file.sha256, file.bytes}, report);
      if (reasons.size() > before) notes.push_back(reasons.substr(before));
      return;
    } catch (const Error& e) {
      reasons += std::string(reasons.size() > before ? "; " : "") + e.what();
    }
  }
  throw Error(file.owner, "cannot be fetched: " + reasons,
              "or put " + file.name + " (sha256 " + file.sha256 +
                  ") into a folder and set BITLAB_MIRROR to it");
}

}  // namespace

fs::path cache_folder() {
  if (const std::string cache = variable("BITLAB_CACHE"); !cache.empty()) return cache;
  if (const std::string xdg = variable("XDG_CACHE_HOME"); !xdg.empty())
    return fs::path(xdg) / "bitlab";
  if (const std::string home = variable("HOME"); !home.empty())
    return fs::path(home) / ".cache" / "bitlab";
  throw Error("cache", "a folder for data must be known, but HOME is not set", "set BITLAB_CACHE");
}

fs::path cached_path(const RemoteFile& file) { return cache_folder() / file.owner / file.name; }

std::vector<fs::path> mirror_folders() {
  std::vector<fs::path> folders;
  const std::string all = variable("BITLAB_MIRROR");
  for (std::size_t begin = 0; begin < all.size();) {
    const std::size_t end = std::min(all.find(':', begin), all.size());
    if (end > begin) folders.emplace_back(all.substr(begin, end - begin));
    begin = end + 1;
  }
  return folders;
}

std::optional<Fetched> find_local(const RemoteFile& file, std::vector<std::string>& notes) {
  const fs::path cached = cached_path(file);
  if (fs::exists(cached)) {
    const Match m = match(cached, file);
    if (m.right) return found(cached, m, notes);
    notes.push_back(cached.string() + " has sha256 " + m.sha256 + " instead of " + file.sha256 +
                    " and is not used");
  }
  return from_mirrors(file, notes);
}

std::optional<Fetched> find_local(const RemoteFile& file) {
  std::vector<std::string> notes;
  return find_local(file, notes);
}

Fetched fetch(const RemoteFile& file, const FetchProgress& progress) {
  std::vector<std::string> notes;
  if (auto here = find_local(file, notes)) return *here;
  from_network(file, progress, notes);
  return {cached_path(file), notes};
}

std::size_t normalise_line_ends(std::string& text) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    text[kept++] = text[i];
  }
  const std::size_t removed = text.size() - kept;
  text.resize(kept);
  return removed;
}

std::string crlf_note(const std::string& where, std::size_t count) {
  return where + ": lines end in CR LF; " + std::to_string(count) + " CR characters are left out";
}

}  // namespace bitlab
