#pragma once
// Files that are written beside their place and then renamed (core/base/files.h): which of them a
// kill has left behind.
#include <filesystem>

namespace bitlab {

// Whether `path` is named as a temporary, "X.tmp" or "X.tmpPID...", and no process of this machine
// with that id is alive to rename it.
bool is_abandoned_temporary(const std::filesystem::path& path);

}  // namespace bitlab
