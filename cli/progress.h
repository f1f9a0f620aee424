#pragma once
// How far something long is.
#include <chrono>
#include <cstdint>
#include <string>

namespace bitlab {

// "tokens: 3.2 of 12.8 MB (25 %), 40 s left". `done` and `total` are divided by `divisor`, which
// `unit` tells; left out below 0 seconds: how long it will take is not known yet.
std::string progress_text(const std::string& what,
                          std::uint64_t done,
                          std::uint64_t total,
                          const std::string& unit,
                          double divisor,
                          double seconds_left);

// One line on standard error that is written over and over, if that is a terminal; nothing
// elsewhere, and nothing of what takes less than a moment. A FetchProgress for all that is long.
class ProgressLine {
 public:
  explicit ProgressLine(std::string unit = "MB", double divisor = 1e6);

  // The time that is left is judged from what was done since the first call with this `what`.
  void operator()(const std::string& what, std::uint64_t done, std::uint64_t total);

 private:
  using Clock = std::chrono::steady_clock;

  std::string unit_;
  double divisor_;
  std::string what_;
  std::uint64_t first_ = 0;  // done when it began
  Clock::time_point begin_, shown_;
};

}  // namespace bitlab
