#pragma once
// How far something long is.
#include <cstdint>
#include <string>

namespace bitlab {

// One line on standard error that is written over and over, if that is a terminal; nothing
// elsewhere.
void show_progress(const std::string& what, std::uint64_t done, std::uint64_t total);

}  // namespace bitlab
