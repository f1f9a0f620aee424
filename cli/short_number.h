#pragma once
// Numbers in three figures.
#include <string>

namespace bitlab {

std::string short_number(double x, const std::string& unit = "");  // 2.56e6 -> "2.56 M"
std::string long_time(double seconds);  // as format_duration, and in "12 days", "3.4 years"

}  // namespace bitlab
