#pragma once
// Compressed files and archives, read from front to back (libarchive).
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace bitlab {

// The bytes of a file, block by block; those within if it is gzip (told by its first bytes).
// Throws Error if it cannot be read, or is cut off.
void read_blocks(const std::filesystem::path& path,
                 const std::function<void(std::string_view block)>& take);

// The files of a .zip or .tar(.gz) whose names are `wanted`, in the order of the archive. Throws
// Error if it is none, or damaged.
void read_archive(const std::filesystem::path& path,
                  const std::function<bool(const std::string& name)>& wanted,
                  const std::function<void(const std::string& name, std::string content)>& take);

}  // namespace bitlab
