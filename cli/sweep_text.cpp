#include "cli/sweep_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace bitlab {

namespace {

constexpr std::size_t kFewValues = 4;  // are all named

struct Swept {
  std::string path;
  std::vector<std::string> values;
};

}  // namespace

std::string sweep_text(const std::vector<std::vector<AxisValue>>& points) {
  std::vector<Swept> all;
  for (const auto& point : points) {
    for (const AxisValue& axis : point) {
      auto swept = std::find_if(all.begin(), all.end(),
                                [&](const Swept& other) { return other.path == axis.path; });
      if (swept == all.end()) swept = all.insert(all.end(), {axis.path, {}});
      const std::string value = axis_text(axis.toml);
      auto& values = swept->values;
      if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
    }
  }
  std::string text;
  for (const Swept& swept : all) {
    if (!text.empty()) text += "; ";
    const auto& values = swept.values;
    text += swept.path + " ";
    text += values.size() <= kFewValues
                ? fmt::format("{}", fmt::join(values, ", "))
                : fmt::format("{} .. {} ({} values)", values.front(), values.back(), values.size());
  }
  return text;
}

}  // namespace bitlab
