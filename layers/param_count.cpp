#include "layers/param_count.h"

#include <cstdlib>

#include "core/base/error.h"

namespace bitlab {

ParamCount count_params(Layer& net) {
  ParamCount count;
  visit_distinct_params(net, [&](const std::string&, Param& p) {
    count.total += p.size();
    count.ternary += p.ternary ? p.size() : 0;
  });
  return count;
}

namespace {

// Reads "1.3B" from the beginning of `text` and cuts it off. Negative if there is none.
double take_count(std::string& text) {
  char* end = nullptr;
  const double digits = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || !(digits >= 0)) return -1;
  double unit = 1;
  if (*end == 'K') unit = 1e3;
  if (*end == 'M') unit = 1e6;
  if (*end == 'B') unit = 1e9;
  text = unit > 1 ? end + 1 : end;
  return digits * unit;
}

}  // namespace

SizeRange parse_size_range(const std::string& text) {
  const size_t dots = text.find("..");
  std::string low = text.substr(0, dots),
              high = dots == std::string::npos ? "" : text.substr(dots + 2);
  const SizeRange range{take_count(low), take_count(high)};
  if (!low.empty() || !high.empty() || range.smallest < 0 || range.largest < range.smallest)
    throw UsageError("size_check", "must be a range such as 680M..720M, but is '" + text + "'");
  return range;
}

}  // namespace bitlab
