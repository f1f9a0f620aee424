#pragma once
// Numbers as people read them. Without locale: the same bytes everywhere.
#include <cstdint>
#include <string>

#include "core/base/format_count.h"

namespace bitlab {

std::string format_fixed(double x, int digits);  // "1.842"; a value that rounds to -0 reads "0.000"
std::string format_duration(double seconds);     // "8.2 s", "52 s", "4 min 12 s", "3 h 05 min"
std::string format_bytes(std::int64_t bytes);    // decimal: "140 kB", "1.2 MB"

}  // namespace bitlab
