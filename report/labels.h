#pragma once
// Text in figures: how long it is, how it is cut, where it goes.
#include <cstddef>
#include <string>
#include <vector>

namespace bitlab {

constexpr double kCharWidth = 6.4;  // in points: of the label font, on average and a little more

std::size_t count_characters(const std::string& utf8);

// At most `most` characters, the last one an ellipsis if some had to go.
std::string shortened(const std::string& utf8, std::size_t most);

// One line, or two of at most `most` characters, broken at a space.
std::vector<std::string> wrapped(const std::string& utf8, std::size_t most);

// Places for labels that want to be at `wanted` (ascending): as close to that as they can with
// `gap` between neighbours, inside [low, high] if there is room at all.
std::vector<double> spread_labels(const std::vector<double>& wanted,
                                  double gap,
                                  double low,
                                  double high);

}  // namespace bitlab
