#include "core/data/lm_dataset.h"

#include <numeric>
#include <set>

#include "core/base/catch.h"
#include "core/base/error.h"

using namespace bitlab;

namespace {

std::vector<std::int32_t> count_up(std::size_t n) {
  std::vector<std::int32_t> tokens(n);
  std::iota(tokens.begin(), tokens.end(), 0);
  return tokens;
}

}  // namespace

TEST_CASE("targets are the tokens that follow, at every possible place", "[data]") {
  const auto split = count_up(20);
  const RandomBatches batches(split, 8, 1, "batch");
  std::vector<std::int32_t> tokens(64 * 8), targets(64 * 8);
  std::set<std::int32_t> begins;
  for (std::uint64_t step = 0; step < 10; ++step) {
    batches.fill(step, 0, 64, tokens.data(), targets.data());
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      REQUIRE(targets[i] == tokens[i] + 1);
      if (i % 8 > 0) REQUIRE(tokens[i] == tokens[i - 1] + 1);
    }
    for (std::size_t row = 0; row < 64; ++row) begins.insert(tokens[row * 8]);
  }
  CHECK(begins.size() == 12);  // 0 .. 11: the last target may be the last token
  CHECK(*begins.rbegin() == 11);
  CHECK_THROWS_AS(RandomBatches(split, 20, 1, "batch"), Error);
}

TEST_CASE("a shard gets its rows of the whole batch, in any order of asking", "[data]") {
  const auto split = count_up(10000);
  const RandomBatches batches(split, 16, 7, "batch"), again(split, 16, 7, "batch");
  std::vector<std::int32_t> whole(32 * 16), part(32 * 16), targets(32 * 16);
  batches.fill(3, 0, 32, whole.data(), targets.data());
  for (const std::size_t first : {24, 8, 0, 16})
    again.fill(3, first, 8, part.data() + first * 16, targets.data());
  CHECK(part == whole);
  again.fill(4, 0, 32, part.data(), targets.data());
  CHECK(part != whole);
  RandomBatches(split, 16, 8, "batch").fill(3, 0, 32, part.data(), targets.data());
  CHECK(part != whole);
  RandomBatches(split, 16, 7, "eval").fill(3, 0, 32, part.data(), targets.data());
  CHECK(part != whole);
}

TEST_CASE("windows have every target exactly once", "[data]") {
  for (const std::size_t n : {2, 8, 9, 10, 16, 17, 18, 100}) {
    const auto split = count_up(n);
    const Windows windows(split, 8);
    std::vector<std::int32_t> tokens(windows.count() * 8), targets(windows.count() * 8), seen;
    windows.fill(0, 1, tokens.data(), targets.data());
    windows.fill(1, windows.count() - 1, tokens.data() + 8, targets.data() + 8);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (targets[i] < 0) {
        CHECK(tokens[i] == 0);
        continue;
      }
      CHECK(targets[i] == tokens[i] + 1);
      seen.push_back(targets[i]);
    }
    CHECK(windows.targets() == n - 1);
    CHECK(seen.size() == n - 1);
    for (std::size_t i = 0; i < seen.size(); ++i)
      REQUIRE(seen[i] == static_cast<std::int32_t>(i) + 1);
    CHECK(targets[(windows.count() - 1) * 8] >= 0);  // no window is all padding
  }
  CHECK_THROWS_AS(Windows(count_up(1), 8), Error);
}
