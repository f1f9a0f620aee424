// Sampling against a plain version of it: one full sort, and every rule written out.
#include "experiments/sampling.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/rng.h"

namespace bitlab {
namespace {

std::vector<real> random_logits(std::size_t n, std::uint64_t seed, double spread) {
  const Rng rng(seed, "logits");
  std::vector<real> logits(n);
  // Few different values, so that ties occur.
  for (std::size_t i = 0; i < n; ++i)
    logits[i] = static_cast<real>(spread * (static_cast<double>(rng.below(40, 0, i)) - 20) / 10);
  return logits;
}

// Probabilities by token, zero for what is not kept.
std::vector<double> reference(const std::vector<real>& logits,
                              const SamplingSettings& s,
                              const std::vector<std::int32_t>& history) {
  const std::size_t n = logits.size();
  std::vector<double> z(logits.begin(), logits.end());
  for (std::size_t i = 0; i < n; ++i)
    if (std::count(history.begin(), history.end(), static_cast<std::int32_t>(i)) > 0)
      z[i] = z[i] > 0 ? z[i] / s.repetition_penalty : z[i] * s.repetition_penalty;
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return z[a] > z[b]; });
  std::vector<double> p(n, 0.0);
  if (s.temperature == 0) {
    p[order[0]] = 1;
    return p;
  }
  std::size_t kept = s.top_k > 0 ? std::min(n, static_cast<std::size_t>(s.top_k)) : n;
  const auto normalise = [&] {
    double total = 0;
    std::fill(p.begin(), p.end(), 0.0);
    for (std::size_t i = 0; i < kept; ++i) total += std::exp(z[order[i]] / s.temperature);
    for (std::size_t i = 0; i < kept; ++i)
      p[order[i]] = std::exp(z[order[i]] / s.temperature) / total;
  };
  normalise();
  double sum = 0;
  for (std::size_t i = 0; i < kept; ++i)
    if ((sum += p[order[i]]) >= s.top_p) kept = i + 1;
  normalise();
  while (p[order[kept - 1]] < s.min_p * p[order[0]]) --kept;
  normalise();
  return p;
}

std::vector<double> probabilities(const std::vector<real>& logits,
                                  const SamplingSettings& s,
                                  const std::vector<std::int32_t>& history) {
  std::vector<double> p(logits.size(), 0.0);
  double total = 0;
  std::int32_t last = -1;
  for (const Candidate& c : candidates(logits, s, history)) {
    REQUIRE(c.token > last);
    last = c.token;
    total += p[static_cast<std::size_t>(c.token)] = c.weight;
  }
  for (double& x : p) x /= total;
  return p;
}

void compare(const std::vector<real>& logits, const SamplingSettings& s) {
  const std::vector<std::int32_t> history = {3, 0, 3, 17};
  const auto expected = reference(logits, s, history), found = probabilities(logits, s, history);
  for (std::size_t i = 0; i < expected.size(); ++i)
    REQUIRE(found[i] == Approx(expected[i]).margin(1e-13));
}

}  // namespace

TEST_CASE("sampling keeps and weighs tokens as the plain version does", "[sampling]") {
  for (const std::uint64_t seed : {1, 2, 3, 4, 5})
    for (const std::size_t n : {18, 300, 1000}) {
      const auto logits = random_logits(n, seed, seed == 3 ? 4 : 1.5);
      compare(logits, {});
      compare(logits, {.temperature = 0});
      compare(logits, {.temperature = 0.7});
      compare(logits, {.top_k = 1});
      compare(logits, {.top_k = 13});
      compare(logits, {.top_k = 5000});
      compare(logits, {.top_p = 0.9137});
      compare(logits, {.top_p = 1e-9});
      compare(logits, {.min_p = 0.1});
      compare(logits, {.min_p = 1});
      compare(logits, {.repetition_penalty = 1.3});
      compare(logits, {.repetition_penalty = 5, .temperature = 0});
      compare(logits, {.repetition_penalty = 1.1,
                       .temperature = 1.7,
                       .top_k = 100,
                       .top_p = 0.8173,
                       .min_p = 0.05});
    }
}

TEST_CASE("the order of the rules matters and is the documented one", "[sampling]") {
  // Weights 8, 4, 2, 1: top-k 3 leaves 14, of which the first two are 12/14 > 0.85 (but 12/15 <
  // 0.85).
  const std::vector<real> logits = {std::log(8.0f), std::log(4.0f), std::log(2.0f), 0};
  CHECK(candidates(logits, {.top_k = 3, .top_p = 0.85}, {}).size() == 2);
  CHECK(candidates(logits, {.top_p = 0.85}, {}).size() == 3);
  // The temperature comes before top-p and min-p: at 2 the weights are 2.83, 2, 1.41, 1.
  CHECK(candidates(logits, {.temperature = 2, .min_p = 0.4}, {}).size() == 3);
  CHECK(candidates(logits, {.min_p = 0.4}, {}).size() == 2);
  // The penalty comes first of all: it makes the second token the likeliest.
  const std::vector<std::int32_t> history = {0};
  CHECK(candidates(logits, {.repetition_penalty = 2, .temperature = 0}, history)[0].token == 1);
}

TEST_CASE("a draw depends on seed and position alone and follows the probabilities", "[sampling]") {
  const std::vector<real> logits = {0, std::log(3.0f), std::log(4.0f), -INFINITY};
  const std::vector<std::int32_t> history = {0, 0};
  std::map<std::int32_t, int> counts;
  for (std::uint64_t position = 0; position < 8000; ++position) {
    const std::int32_t token = sample_token(logits, {.seed = 4}, {}, position);
    REQUIRE(token == sample_token(logits, {.seed = 4}, history, position));
    ++counts[token];
  }
  CHECK(counts[0] / 8000.0 == Approx(1 / 8.0).margin(0.015));
  CHECK(counts[1] / 8000.0 == Approx(3 / 8.0).margin(0.02));
  CHECK(counts[2] / 8000.0 == Approx(4 / 8.0).margin(0.02));
  CHECK(counts[3] == 0);
  int differ = 0;
  for (std::uint64_t position = 0; position < 100; ++position)
    differ += sample_token(logits, {.seed = 4}, {}, position) !=
              sample_token(logits, {.seed = 5}, {}, position);
  CHECK(differ > 20);
}

TEST_CASE("sampling refuses what means nothing", "[sampling]") {
  for (const SamplingSettings& s :
       {SamplingSettings{.temperature = -1}, SamplingSettings{.temperature = INFINITY},
        SamplingSettings{.temperature = NAN}, SamplingSettings{.top_k = -1},
        SamplingSettings{.top_p = 0}, SamplingSettings{.top_p = 1.1},
        SamplingSettings{.top_p = NAN}, SamplingSettings{.min_p = -0.1},
        SamplingSettings{.min_p = 2}, SamplingSettings{.repetition_penalty = 0},
        SamplingSettings{.repetition_penalty = NAN}})
    CHECK_THROWS_AS(check(s), UsageError);
  CHECK_NOTHROW(check(SamplingSettings{}));
  for (const std::vector<real>& logits : {std::vector<real>{1, NAN}, std::vector<real>{1, INFINITY},
                                          std::vector<real>{-INFINITY, -INFINITY}})
    CHECK_THROWS_AS(candidates(logits, {}, {}), Error);
}

}  // namespace bitlab
