#pragma once
#include <algorithm>
#include <cstddef>
#include <vector>

namespace bitlab {

// Of an even number of values the mean of the middle two. There must be one.
inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace bitlab
