#include "cli/short_number.h"

#include <fmt/format.h>

#include <array>

#include "report/format.h"

namespace bitlab {

std::string short_number(double x, const std::string& unit) {
  static constexpr std::array<const char*, 8> kPrefixes = {"", "k", "M", "G", "T", "P", "E", "Z"};
  std::size_t i = 0;
  while (x >= 999.5 && i + 1 < kPrefixes.size()) {
    x /= 1000;
    ++i;
  }
  const int digits = i == 0 ? 0 : x < 9.995 ? 2 : x < 99.95 ? 1 : 0;
  const std::string suffix = kPrefixes[i] + unit;
  return fmt::format("{:.{}f}{}{}", x, digits, suffix.empty() ? "" : " ", suffix);
}

std::string long_time(double seconds) {
  constexpr double kDay = 86400, kYear = 365.25 * kDay;
  if (seconds < 2 * kDay) return format_duration(seconds);
  if (seconds < 2 * kYear) return fmt::format("{:.0f} days", seconds / kDay);
  return fmt::format("{:.3g} years", seconds / kYear);
}

}  // namespace bitlab
