#pragma once
// Files written so that a crash leaves the old or the new content, never half of one.
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace bitlab {

// The whole file. Throws Error if it cannot be read.
std::string read_file(const std::filesystem::path& path);

// Writes a temporary beside `path`, fsyncs it, renames it over `path`, fsyncs the directory.
// Creates missing parent directories. Throws Error (with what the system said) and leaves `path` as
// it was.
void write_file_atomic(const std::filesystem::path& path, std::string_view content);

struct FileToWrite {
  std::filesystem::path path;
  std::string content;
};

// The same for many files of one file system: waits for the disk twice in all, not twice a file
// (a thousand files take a second and not a quarter of a minute). Throws Error; each file then has
// its old or its new content.
void write_files_atomic(const std::vector<FileToWrite>& files);

// The file `from` under a second name, as a hard link where the file system has them.
void link_or_copy(const std::filesystem::path& from, const std::filesystem::path& to);

// Throws UsageError if `folder` is there and not an empty folder, but for what a kill left behind.
void require_new_folder(const std::filesystem::path& folder);

// A new folder, whole or not at all: `fill` writes into a temporary beside it, which is forced to
// disk and renamed. If the folder is there and empty, it stays the same folder: what `fill` wrote
// is moved into it, DONE last. Throws what require_new_folder() and `fill` throw.
void make_folder_atomic(const std::filesystem::path& folder,
                        const std::function<void(const std::filesystem::path& temporary)>& fill);

// Adds a line to a file, in one write, and forces it to disk. What a crash left of a cut-off line
// is ended first. Throws Error.
void append_line(const std::filesystem::path& path, std::string_view line);

// Forces a directory's entries (creations, renames) or a finished file to disk.
void sync_path(const std::filesystem::path& path);

// Now in UTC: "2026-01-31T23:59:59Z".
std::string utc_now();

}  // namespace bitlab
