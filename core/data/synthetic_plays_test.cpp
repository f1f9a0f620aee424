#include "core/data/synthetic_plays.h"

#include <cmath>
#include <numeric>
#include <set>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/sha256.h"

using namespace bitlab;

namespace {

double mean(const std::vector<double>& values, std::size_t begin, std::size_t end) {
  return std::accumulate(values.begin() + static_cast<std::ptrdiff_t>(begin),
                         values.begin() + static_cast<std::ptrdiff_t>(end), 0.0) /
         static_cast<double>(end - begin);
}

}  // namespace

TEST_CASE("a small grammar has the losses and the entropy that one works out by hand",
          "[data][grammar]") {
  Grammar g;
  const auto start = g.add_choice(), inner = g.add_choice(), close = g.add_choice();
  const auto call = g.add_call(inner, close);
  g.add(start, "ab", 2, Grammar::kReturn);
  g.add(start, "ac", 1, call);
  g.add(start, "d", 1, Grammar::kReturn);
  g.add(inner, "x", 1, inner);  // a geometric number of x, then y: 2 bytes and 2 ln 2 on average
  g.add(inner, "y", 1, Grammar::kReturn);
  g.add(close, ".", 1, Grammar::kReturn);
  g.finish(start);
  const auto losses = g.losses("abacxy.d");
  const double want[] = {
      std::log(4 / 3.0), std::log(1.5), std::log(4 / 3.0), std::log(3.0), std::log(2.0),
      std::log(2.0),     0.0,           std::log(4.0)};
  REQUIRE(losses.size() == 8);
  for (std::size_t i = 0; i < 8; ++i) CHECK(losses[i] == Approx(want[i]).margin(1e-12));
  // Half "ab", a quarter "ac" + x...y + ".", a quarter "d".
  const double entropy = 1.5 * std::log(2.0) + 0.25 * 2 * std::log(2.0);
  const double bytes = 0.5 * 2 + 0.25 * (2 + 2 + 1) + 0.25 * 1;
  CHECK(g.entropy_rate() == Approx(entropy / bytes).epsilon(1e-12));
  CHECK_THROWS_AS(g.losses("abz"), Error);
  CHECK(g.losses("a").size() == 1);
}

TEST_CASE("a grammar whose texts can be read in two ways is refused", "[data][grammar]") {
  for (const char* second : {"the", "then", "th", "t", ""}) {
    Grammar g;
    const auto start = g.add_choice();
    g.add(start, "the", 1, Grammar::kReturn);
    g.add(start, second, 1, Grammar::kReturn);
    CHECK_THROWS_AS(g.finish(start), Error);
  }
  Grammar empty;
  const auto start = empty.add_choice();
  CHECK_THROWS_AS(empty.finish(start), Error);
}

TEST_CASE("the synthetic plays never change and look like plays", "[data][plays]") {
  const std::string text = synthetic_plays();
  CHECK(text.size() == kSyntheticPlaysBytes);
  CHECK(sha256_hex(text) == "6f6a82b78bc80c31553978755339f513006381cdf7e4cf4faec5d2bb0b93de03");
  CHECK(std::set<char>(text.begin(), text.end()).size() == 64);
  CHECK(text.find("\n\n[Enter ") != std::string::npos);
  CHECK(text.find("\n\nBEATRIX:\n") != std::string::npos);
}

TEST_CASE("the floor of the synthetic plays is exact", "[data][plays]") {
  const Grammar grammar = play_grammar();
  const std::string text = synthetic_plays();
  const auto losses = grammar.losses(text);
  const double rate = grammar.entropy_rate();
  CHECK(rate == Approx(0.470826).margin(1e-6));
  // The realised loss of the whole text and of the validation split scatter around the rate.
  CHECK(mean(losses, 0, text.size()) == Approx(rate).margin(0.002));
  CHECK(mean(losses, text.size() / 10 * 9, text.size()) == Approx(rate).margin(0.005));
  // Another text of the same grammar, made by other random numbers.
  const std::string other = grammar.generate(Rng(2, "another"), 3'000'000);
  CHECK(mean(grammar.losses(other), 0, other.size()) == Approx(rate).margin(0.001));
}

TEST_CASE("the grammar's probabilities of the next byte add up to one", "[data][plays]") {
  const Grammar grammar = play_grammar();
  const std::string text = synthetic_plays().substr(0, 3000);
  for (std::size_t at = 0; at < text.size(); at += 37) {
    double total = 0;
    for (int byte = 0; byte < 256; ++byte) {
      try {
        total += std::exp(-grammar.losses(text.substr(0, at) + static_cast<char>(byte)).back());
      } catch (const Error&) {
        // This byte cannot follow.
      }
    }
    REQUIRE(total == Approx(1).epsilon(1e-9));
  }
}
