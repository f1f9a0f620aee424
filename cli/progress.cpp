#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include "cli/short_number.h"

namespace bitlab {

namespace {

constexpr double kMoment = 0.5, kBetween = 0.1;  // seconds: nothing before, and from line to line
constexpr double kEnough = 2;                    // seconds that tell how fast it goes

}  // namespace

std::string progress_text(const std::string& what,
                          std::uint64_t done,
                          std::uint64_t total,
                          const std::string& unit,
                          double divisor,
                          double seconds_left) {
  const int digits = divisor > 1 ? 1 : 0;
  return fmt::format("{}: {:.{}f} of {:.{}f} {} ({} %){}", what,
                     static_cast<double>(done) / divisor, digits,
                     static_cast<double>(total) / divisor, digits, unit, done * 100 / total,
                     seconds_left < 0 ? "" : ", " + long_time(seconds_left) + " left");
}

ProgressLine::ProgressLine(std::string unit, double divisor)
    : unit_(std::move(unit)), divisor_(divisor) {}

void ProgressLine::operator()(const std::string& what, std::uint64_t done, std::uint64_t total) {
  if (::isatty(STDERR_FILENO) == 0 || total == 0) return;
  const Clock::time_point now = Clock::now();
  const auto since = [&](Clock::time_point then) {
    return std::chrono::duration<double>(now - then).count();
  };
  if (what != what_ || done < first_) {
    what_ = what;
    first_ = done;
    begin_ = shown_ = now;
  }
  const bool shown = shown_ != begin_, finished = done >= total;
  const double seconds = since(begin_);
  if (finished ? !shown : seconds < kMoment || since(shown_) < kBetween) return;
  shown_ = now;
  const double left =
      finished || seconds < kEnough || done == first_
          ? -1
          : seconds * static_cast<double>(total - done) / static_cast<double>(done - first_);
  std::cerr << "\r" << progress_text(what, done, total, unit_, divisor_, left) << "\x1b[K"
            << (finished ? "\n" : "") << std::flush;
  if (finished) what_.clear();
}

}  // namespace bitlab
