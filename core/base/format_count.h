#pragma once
#include <cstdint>
#include <string>

namespace bitlab {

std::string format_count(std::int64_t n);  // "1,115,394", whatever the locale

}  // namespace bitlab
