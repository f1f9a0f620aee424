#include "report/labels.h"

#include <algorithm>

namespace bitlab {

namespace {

// UTF-8: every byte but the first of a character looks like 10xxxxxx.
bool starts_character(char c) { return (c & 0xC0) != 0x80; }

}  // namespace

std::size_t count_characters(const std::string& utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), starts_character));
}

std::string shortened(const std::string& utf8, std::size_t most) {
  if (count_characters(utf8) <= most) return utf8;
  std::size_t end = 0;
  for (std::size_t seen = 0; end < utf8.size(); ++end)
    if (starts_character(utf8[end]) && ++seen == most) break;
  return utf8.substr(0, end) + "…";
}

std::vector<std::string> wrapped(const std::string& utf8, std::size_t most) {
  if (count_characters(utf8) <= most) return {utf8};
  const std::size_t space = utf8.rfind(' ', most);
  if (space == std::string::npos || space == 0) return {shortened(utf8, most)};
  return {utf8.substr(0, space), shortened(utf8.substr(space + 1), most)};
}

std::vector<double> spread_labels(const std::vector<double>& wanted,
                                  double gap,
                                  double low,
                                  double high) {
  // Labels that would touch form a block, which stands where its members would like it best on
  // average.
  struct Block {
    double first;  // mean of (wanted - offset in the block)
    std::size_t count;
  };
  const auto place = [&](const Block& block) {
    const double length = gap * static_cast<double>(block.count - 1);
    return std::max(low, std::min(block.first, high - length));
  };
  std::vector<Block> blocks;
  for (const double y : wanted) {
    blocks.push_back({y, 1});
    while (blocks.size() > 1) {
      Block& before = blocks[blocks.size() - 2];
      const Block& last = blocks.back();
      const double offset = gap * static_cast<double>(before.count);
      if (place(before) + offset <= place(last)) break;
      const double n = static_cast<double>(before.count), m = static_cast<double>(last.count);
      before.first = (n * before.first + m * (last.first - offset)) / (n + m);
      before.count += last.count;
      blocks.pop_back();
    }
  }
  std::vector<double> places;
  for (const Block& block : blocks)
    for (std::size_t i = 0; i < block.count; ++i)
      places.push_back(place(block) + gap * static_cast<double>(i));
  return places;
}

}  // namespace bitlab
