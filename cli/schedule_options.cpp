#include "cli/schedule_options.h"

#include <cmath>
#include <cstdlib>

#include "core/base/error.h"

namespace bitlab {

namespace po = boost::program_options;

namespace {

// "90s", "1.5h". Throws UsageError.
std::chrono::milliseconds parse_duration(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const std::string unit = end;
  const double scale = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  const double seconds = number * scale;
  if (end == text.c_str() || !std::isfinite(seconds) || seconds < 0.001 || seconds > 1e9)
    throw UsageError("bitlab run",
                     "--timeout must be a time like 90s, 30m or 2h, but got '" + text + "'");
  return std::chrono::milliseconds(std::llround(1000 * seconds));
}

}  // namespace

void add_schedule_options(po::options_description& shown, ScheduleRequest& request) {
  shown.add_options()("retry-failed", po::bool_switch(&request.retry_failed),
                      "try runs again that failed before")(
      "fail-fast", po::bool_switch(&request.fail_fast),
      "stop at the first run that fails; default: the others go on")(
      "timeout", po::value(&request.timeout)->value_name("TIME"),
      "of each run, as 90s, 30m or 2h: then its state is saved, and it counts as failed")(
      "prune", po::value(&request.prune)->value_name("RULE"),
      "end hopeless runs early: asha, median, or none (prune.rule; see [prune])");
}

std::vector<std::string> checked_overrides(const ScheduleRequest& request) {
  schedule_options(request);
  if (request.prune.empty()) return {};
  if (request.prune != "asha" && request.prune != "median" && request.prune != "none")
    throw UsageError("bitlab run",
                     "--prune must be asha, median or none, but got '" + request.prune + "'");
  return {"prune.rule=\"" + request.prune + "\""};
}

ScheduleOptions schedule_options(const ScheduleRequest& request) {
  ScheduleOptions options;
  options.retry_failed = request.retry_failed;
  options.fail_fast = request.fail_fast;
  if (!request.timeout.empty()) options.timeout = parse_duration(request.timeout);
  return options;
}

}  // namespace bitlab
