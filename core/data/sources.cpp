#include "core/data/sources.h"

#include <algorithm>
#include <cstdlib>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/data/synthetic_plays.h"
#include "core/io/download.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string crlf_note(const std::string& where, std::size_t count) {
  return where + ": lines end in CR LF; " + std::to_string(count) + " CR characters are left out";
}

// Whether a file is this source, as it is or without its CR characters.
struct Match {
  bool right = false;
  std::string sha256;       // of the file
  std::size_t removed = 0;  // CR characters that stand in the way
};

Match match(const fs::path& path, const Source& source) {
  Match result{false, sha256_file(path), 0};
  if (result.sha256 == source.sha256) return {true, result.sha256, 0};
  // With a CR at the end of every line a text is at most twice as long.
  const std::uint64_t size = fs::file_size(path);
  if (size <= source.bytes || size > 2 * source.bytes) return result;
  std::string text = read_file(path);
  result.removed = normalise_line_ends(text);
  result.right = result.removed > 0 && sha256_hex(text) == source.sha256;
  return result;
}

Fetched found(const fs::path& path, const Match& match, std::vector<std::string> notes) {
  if (match.removed > 0) notes.push_back(crlf_note(path.string(), match.removed));
  return {path, std::move(notes)};
}

std::optional<Fetched> from_mirrors(const Source& source, std::vector<std::string>& notes) {
  for (const fs::path& folder : mirror_folders()) {
    std::error_code error;
    const auto options = fs::directory_options::skip_permission_denied;
    fs::recursive_directory_iterator entry(folder, options, error);
    if (error) notes.push_back("mirror " + folder.string() + ": " + error.message());
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
      if (entry->path().filename() != source.file_name || !entry->is_regular_file(error)) continue;
      const Match m = match(entry->path(), source);
      if (m.right) return found(entry->path(), m, notes);
    }
  }
  return std::nullopt;
}

// From the cache or a mirror.
std::optional<Fetched> local(const Source& source, std::vector<std::string>& notes) {
  if (source.sha256.empty()) return Fetched{source.name, {}};  // a file of one's own
  const fs::path cached = cached_path(source);
  if (fs::exists(cached)) {
    const Match m = match(cached, source);
    if (m.right) return found(cached, m, notes);
    notes.push_back(cached.string() + " has sha256 " + m.sha256 + " instead of " + source.sha256 +
                    " and is not used");
  }
  return from_mirrors(source, notes);
}

std::string generated(const Source& source) {
  std::string text = source.generate();
  if (sha256_hex(text) != source.sha256)
    throw Error(source.name,
                "must have sha256 " + source.sha256 + ", but this build makes " + sha256_hex(text));
  return text;
}

// Downloads from the first address that works.
void from_network(const Source& source,
                  const FetchProgress& progress,
                  std::vector<std::string>& notes) {
  std::string reasons;
  for (const std::string& note : notes) reasons += note + "; ";
  if (!mirror_folders().empty())
    reasons += "no mirror has a " + source.file_name + " with its sha256; ";
  const std::size_t before = reasons.size();
  for (const std::string& url : source.urls) {
    try {
      const auto report = [&](std::uint64_t done, std::uint64_t total) {
        if (progress) progress(source.name, done, total);
      };
      download({url, cached_path(source), source.sha256, source.bytes}, report);
      if (reasons.size() > before) notes.push_back(reasons.substr(before));
      return;
    } catch (const Error& e) {
      reasons += std::string(reasons.size() > before ? "; " : "") + e.what();
    }
  }
  throw Error(source.name, "cannot be fetched: " + reasons,
              "or put " + source.file_name + " (sha256 " + source.sha256 +
                  ") into a folder and set BITLAB_MIRROR to it");
}

Source own_text(const std::string& path) {
  Source source;
  source.name = path;
  source.generate = [path] { return read_file(path); };
  return source;
}

}  // namespace

namespace {

void register_builtin_sources(Registry<Source>& registry) {
  for (const Source& source :
       {Source{"tinyshakespeare",
               "input.txt",
               {"https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/"
                "input.txt"},
               1115394,
               "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
               "public domain",
               "40,000 lines of Shakespeare's plays, 65 characters",
               {}},
        Source{"synthetic-plays",
               "synthetic-plays.txt",
               {},
               kSyntheticPlaysBytes,
               "6f6a82b78bc80c31553978755339f513006381cdf7e4cf4faec5d2bb0b93de03",
               "MIT, as bitlab",
               "plays made up by a grammar of known entropy, 64 characters; needs no network",
               synthetic_plays}})
    registry.add(source.name, source);
}

}  // namespace

Registry<Source>& data_sources() {
  static Registry<Source> registry("data source", register_builtin_sources);
  return registry;
}

Source find_source(const std::string& name) {
  if (name.find('/') != std::string::npos) return own_text(name);
  if (data_sources().contains(name)) return data_sources().at(name);
  std::string known;
  for (const std::string& other : data_sources().names())
    known += (known.empty() ? "" : ", ") + other;
  throw UsageError(
      "data source",
      "must be one of " + known + ", or the path of a text file, but got '" + name + "'",
      "a path must have a '/' in it, as in ./" + name);
}

fs::path cache_folder() {
  if (const std::string cache = variable("BITLAB_CACHE"); !cache.empty()) return cache;
  if (const std::string xdg = variable("XDG_CACHE_HOME"); !xdg.empty())
    return fs::path(xdg) / "bitlab";
  if (const std::string home = variable("HOME"); !home.empty())
    return fs::path(home) / ".cache" / "bitlab";
  throw Error("cache", "a folder for data must be known, but HOME is not set", "set BITLAB_CACHE");
}

fs::path cached_path(const Source& source) {
  return cache_folder() / source.name / source.file_name;
}

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

std::optional<Fetched> find_local(const Source& source) {
  std::vector<std::string> notes;
  return local(source, notes);
}

Fetched fetch(const Source& source, const FetchProgress& progress) {
  std::vector<std::string> notes;
  if (auto here = local(source, notes)) return *here;
  if (source.generate) {
    write_file_atomic(cached_path(source), generated(source));
  } else {
    from_network(source, progress, notes);
  }
  return {cached_path(source), notes};
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

SourceText open_first(const std::vector<Source>& candidates, const FetchProgress& progress) {
  std::vector<std::string> notes;
  for (const Source& source : candidates) {
    try {
      SourceText result;
      result.name = source.name;
      if (source.generate) {
        result.text = source.sha256.empty() ? source.generate() : generated(source);
      } else {
        const Fetched fetched = fetch(source, progress);
        notes.insert(notes.end(), fetched.notes.begin(), fetched.notes.end());
        result.text = read_file(fetched.path);
      }
      const std::size_t removed = normalise_line_ends(result.text);
      if (removed > 0 && source.generate) notes.push_back(crlf_note(source.name, removed));
      result.sha256 = sha256_hex(result.text);
      result.bytes = result.text.size();
      result.notes = notes;
      return result;
    } catch (const Error& e) {
      notes.push_back(source.name + " is not used: " + e.what());
    }
  }
  std::string reasons;
  for (const std::string& note : notes) reasons += "\n  " + note;
  throw Error("data.sources", "at least one must be there, but none is:" + reasons);
}

SourceText open_first(const std::vector<std::string>& names, const FetchProgress& progress) {
  std::vector<Source> candidates;
  for (const std::string& name : names) candidates.push_back(find_source(name));
  return open_first(candidates, progress);
}

}  // namespace bitlab
