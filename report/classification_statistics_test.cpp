// Against figures worked out by hand and by enumeration.
#include "report/classification_statistics.h"

#include <algorithm>
#include <cmath>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/rng.h"

namespace bitlab {
namespace {

// n texts of label 0, wrong where `wrong` says so.
template <class Wrong>
std::vector<PredictionRow> judged(int n, const Wrong& wrong) {
  std::vector<PredictionRow> rows;
  for (int i = 0; i < n; ++i) rows.push_back({1, i, 0, wrong(i) ? 1 : 0, 0.9, 0.1});
  return rows;
}

TEST_CASE("a bootstrap interval has the width that theory gives", "[classification]") {
  std::vector<PredictionRow> rows;
  for (int i = 0; i < 1000; ++i) rows.push_back({1, i, 0, i % 10 == 0, 0.9, 0.1});
  const Interval a = score_intervals(rows, 2).accuracy, b = score_intervals(rows, 2).accuracy;
  const double half = 1.96 * std::sqrt(0.9 * 0.1 / 1000);
  CHECK(a.low == Approx(0.9 - half).margin(0.003));
  CHECK(a.high == Approx(0.9 + half).margin(0.003));
  CHECK((a.low == b.low && a.high == b.high));
  const Interval off = score_intervals(rows, 2).calibration_error;
  CHECK(off.low >= 0);
  CHECK(off.high < 0.03);
  CHECK(score_intervals(rows, 2).f1.high < 1);
  CHECK(score_intervals({}, 2).accuracy.high == 0);
}

TEST_CASE("McNemar's test counts texts that one alone got right", "[classification]") {
  std::vector<PredictionRow> first, second;
  for (int i = 0; i < 30; ++i) {
    first.push_back({1, i, 1, i >= 2, 0.9, 0});             // wrong on 0, 1
    second.push_back({1, i, 1, i < 20 || i > 27, 0.9, 0});  // wrong on 20 .. 27
  }
  const McNemar test = mcnemar(first, second);
  CHECK(test.only_first == 8);
  CHECK(test.only_second == 2);
  // 2 (C(10,0) + C(10,1) + C(10,2)) / 2^10
  CHECK(test.p == Approx(2.0 * (1 + 10 + 45) / 1024));
  CHECK(mcnemar(first, first).p == 1);
  second[3].text = 99;
  CHECK_THROWS_AS(mcnemar(first, second), Error);
  second.pop_back();
  CHECK_THROWS_AS(mcnemar(first, second), Error);
}

TEST_CASE("a difference of accuracy is paired over texts", "[classification]") {
  const auto all = judged(1000, [](int) { return false; });
  const auto tenth = judged(1000, [](int i) { return i % 10 == 0; });
  auto turned = tenth;
  std::reverse(turned.begin(), turned.end());  // the order of texts does not matter
  const AccuracyDifference d = accuracy_difference({{&all, &turned}});
  CHECK(d.mean == Approx(-0.1));
  CHECK((d.pairs == 1 && d.texts == 1000));
  const double half = 1.96 * std::sqrt(0.1 * 0.9 / 1000);
  CHECK(d.interval.low == Approx(-0.1 - half).margin(1e-4));
  CHECK(d.interval.high == Approx(-0.1 + half).margin(1e-4));
  const AccuracyDifference none = accuracy_difference({{&tenth, &turned}});
  CHECK((none.mean == 0 && none.interval.low == 0 && none.interval.high == 0));

  // Two seeds that lie 40 points apart say next to nothing of a third.
  const auto half_right = judged(1000, [](int i) { return i % 2 == 0; });
  const AccuracyDifference two = accuracy_difference({{&all, &tenth}, {&all, &half_right}});
  CHECK(two.mean == Approx(-0.3));
  CHECK(two.pairs == 2);
  CHECK((two.interval.low == -1 && two.interval.high == 1));

  const auto fewer = judged(999, [](int) { return false; });
  CHECK_THROWS_AS(accuracy_difference({{&all, &fewer}}), Error);
}

TEST_CASE("a difference's variance is of texts and seeds", "[classification]") {
  // Gains -1 -1 0 0 and -1 0 0 0. Mean gains of texts -1, -1/2, 0, 0 and of pairs -1/2, -1/4 about
  // -3/8: squares 11/16 and 1/32. What is left without both: three times 1/8 and once 3/8 in each
  // pair, squares 3/8 together.
  const auto all = judged(4, [](int) { return false; });
  const auto two_wrong = judged(4, [](int i) { return i < 2; });
  const auto one_wrong = judged(4, [](int i) { return i < 1; });
  const AccuracyDifference d = accuracy_difference({{&all, &two_wrong}, {&all, &one_wrong}});
  const double texts = 11.0 / 16 / 3 / 4, pairs = 1.0 / 32 / 1 / 2, rest = 3.0 / 8 / 3 / 8;
  CHECK(pairs == rest);  // so that seeds add nothing but doubt
  const double dof = texts * texts / (texts * texts / 3 + pairs * pairs / 1);
  CHECK(d.mean == -0.375);
  CHECK(d.interval.high == Approx(-0.375 + student_t_quantile(0.975, dof) * std::sqrt(texts)));
  CHECK(d.interval.low == -1);
}

// How often the interval of `pairs` seeds holds the true mean, in 600 experiments of 200 texts: a
// text is wrong with its own chance and that of the seed.
double coverage(std::uint64_t pairs, double seeds_differ) {
  const Rng rng(1, "experiments");
  const auto right = judged(200, [](int) { return false; });
  int holds = 0;
  const int experiments = 600;
  for (int e = 0; e < experiments; ++e) {
    const auto draw = [&](std::uint64_t i) {
      return rng.uniform(static_cast<std::uint64_t>(e), i);
    };
    std::vector<std::vector<PredictionRow>> runs;
    for (std::uint64_t p = 0; p < pairs; ++p) {
      const double seed = seeds_differ * (2 * draw(p) - 1);
      runs.push_back(judged(200, [&](int i) {
        const auto text = static_cast<std::uint64_t>(i);
        const double chance = 0.1 + 0.2 * draw(10 + text) + seed;
        return draw(1000 * (p + 1) + text) < chance;
      }));
    }
    std::vector<std::pair<Predictions, Predictions>> both;
    for (const auto& run : runs) both.emplace_back(&right, &run);
    const Interval of = accuracy_difference(both).interval;
    holds += of.low < -0.2 && of.high > -0.2;
  }
  return static_cast<double>(holds) / experiments;
}

TEST_CASE("a difference's interval holds as often as it says", "[classification]") {
  for (const double seeds_differ : {0.0, 0.03, 0.1}) {
    INFO(seeds_differ);
    CHECK(coverage(2, seeds_differ) >= 0.88);
    for (const std::uint64_t pairs : {3, 6}) {
      INFO(pairs);
      CHECK(coverage(pairs, seeds_differ) >= 0.925);  // 0.95 less 2.5 standard errors
      CHECK(coverage(pairs, seeds_differ) <= 0.995);
    }
  }
}

TEST_CASE("one text says nothing", "[classification]") {
  const auto right = judged(1, [](int) { return false; }),
             wrong = judged(1, [](int) { return true; });
  const Interval of = accuracy_difference({{&right, &wrong}}).interval;
  CHECK((of.low == -1 && of.high == 1));
}

}  // namespace
}  // namespace bitlab
