#include "report/curves.h"

#include <cmath>

#include "core/base/catch.h"
#include "report/fake_results.h"
#include "report/labels.h"
#include "report/plot_curves.h"

namespace bitlab {
namespace {

CurveLine line_of(const ArmResult& arm) {
  Results results;
  results.arms = {arm};
  return curve_lines(results, {}).front();
}

TEST_CASE("the mean curve takes each step over the runs that have it", "[report]") {
  const auto curve =
      mean_curve({{{0, 4}, {10, 2}, {20, 1}}, {{0, 4.2}, {10, 3}}, {{0, 4.1}, {10, NAN}}});
  REQUIRE(curve.size() == 3);
  CHECK(curve[0].mean == Approx(4.1));
  CHECK(curve[0].low == 4);
  CHECK(curve[0].high == 4.2);
  CHECK(curve[1].x == 10);
  CHECK(curve[1].mean == 2.5);  // what is not finite is left out
  CHECK(curve[2].mean == 1);
}

TEST_CASE("the envelope keeps every spike and the whole band", "[report]") {
  std::vector<CurvePoint> curve;
  for (int i = 0; i < 100000; ++i) curve.push_back({double(i), 1, 0.9, 1.1});
  curve[54321] = {54321, 7, 6, 8};
  curve[54322] = {54322, -7, -8, -6};
  const auto small = envelope(curve, 100);
  CHECK(small.size() <= 200);
  double low = 1, high = 1, band_low = 1, band_high = 1, step = -1;
  for (const CurvePoint& p : small) {
    CHECK(p.x > step);
    step = p.x;
    low = std::min(low, p.mean);
    high = std::max(high, p.mean);
    band_low = std::min(band_low, p.low);
    band_high = std::max(band_high, p.high);
  }
  CHECK(low == -7);
  CHECK(high == 7);
  CHECK(band_low == -8);
  CHECK(band_high == 8);
  CHECK(envelope(curve, 50000).size() == curve.size());
}

TEST_CASE("an arm's curves are of the seeds that are done", "[report]") {
  ArmResult arm{"a", 0, 0, {done_run(1, 1.8, 2), done_run(2, 1.9, 2), done_run(3, 9, 9)}};
  CHECK(line_of(arm).label == "a");
  arm.runs[2].state = SeedState::Failed;
  const CurveLine curves = line_of(arm);
  CHECK(curves.label == "a (2 of 3 seeds)");
  CHECK(curves.runs == 2);
  CHECK(curves.main.back().mean == Approx(1.85));
  CHECK(curves.train.size() == 1);
  CHECK_FALSE(curves.train_as_logged);
}

TEST_CASE("an arm without a finished seed shows what there is, and says so", "[report]") {
  ArmResult arm{"a", 0, 0, {other_run(1, SeedState::Failed), other_run(2, SeedState::Queued)}};
  arm.runs[0].train = {{10, 0, 0, 3, 0, 0}};
  const CurveLine curves = line_of(arm);
  CHECK(curves.label == "a (unfinished)");
  CHECK(curves.runs == 1);
  CHECK(curves.main.empty());
  REQUIRE(curves.train.size() == 1);
  CHECK(curves.train_as_logged);
}

// A run of 1000 steps that was evaluated at `stops`, with a row every `every` steps whose loss is
// its step.
ArmResult logged_run(const std::vector<std::int64_t>& stops, std::int64_t every) {
  ArmResult arm{"a", 0, 0, {done_run(1, 1.8, 2)}};
  SeedResult& run = arm.runs[0];
  run.eval.clear();
  for (const std::int64_t stop : stops) run.eval.push_back({stop, "val", 1, 0, 1});
  for (std::int64_t step = every; step <= 1000; step += every)
    run.train.push_back({step, 0, 0, static_cast<double>(step), 0, 0});
  return arm;
}

TEST_CASE("logged training loss is averaged over twentieths of the run", "[report]") {
  const CurveLine curves = line_of(logged_run({0, 500, 1000}, 25));
  CHECK(curves.train_as_logged);
  REQUIRE(curves.train.size() == 20);
  for (std::size_t i = 0; i < 20; ++i) {
    const auto end = static_cast<double>(50 * (i + 1));
    CHECK(curves.train[i].x == end);
    CHECK(curves.train[i].mean == Approx(end - 12.5));
  }
  // Up to 340 seven parts, up to 1000 fourteen: no mean goes over an evaluation.
  const CurveLine uneven = line_of(logged_run({0, 340, 1000}, 1));
  REQUIRE(uneven.train.size() == 21);
  CHECK(uneven.train[0].x == 49);
  CHECK(uneven.train[6].x == 340);
  CHECK(uneven.train[7].x == 388);
  CHECK(uneven.train[7].mean == Approx((341 + 388) / 2.0));
  CHECK(uneven.train[20].x == 1000);
}

TEST_CASE("logged training loss is averaged from one evaluation to the next", "[report]") {
  std::vector<std::int64_t> stops;
  for (std::int64_t step = 0; step <= 1000; step += 20) stops.push_back(step);
  const CurveLine often = line_of(logged_run(stops, 10));
  REQUIRE(often.train.size() == 50);
  CHECK(often.train[1].x == 40);
  CHECK(often.train[1].mean == Approx(35));
  // Rows of several steps count by them, and the first behind a part's end closes it.
  ArmResult rare = logged_run({0, 500, 1000}, 1000);
  rare.runs[0].train = {{30, 0, 0, 4, 0, 0}, {60, 0, 0, 2, 0, 0}, {1000, 0, 0, 1, 0, 0}};
  const CurveLine behind = line_of(rare);
  REQUIRE(behind.train.size() == 2);
  CHECK(behind.train[0].x == 60);
  CHECK(behind.train[0].mean == Approx(3));
  CHECK(behind.train[1].mean == Approx(1));
}

TEST_CASE("a band is cut where its edges cross the frame", "[report]") {
  // Low falls from 4 to 2 and crosses 3 half way; high falls from 6 to 2 and crosses 3 at three
  // quarters.
  const auto curve = clip_band({{0, 5, 4, 6}, {100, 2, 2, 2}}, 0, 3);
  REQUIRE(curve.size() == 4);
  CHECK(curve[0].high == 3);
  CHECK(curve[0].mean == 5);  // lines are left to gnuplot, which cuts them well
  CHECK(curve[1].x == 50);
  CHECK(curve[1].low == 3);
  CHECK(curve[1].mean == Approx(3.5));
  CHECK(curve[2].x == 75);
  CHECK(curve[2].low == Approx(2.5));
  CHECK(curve[2].high == 3);
  CHECK(clip_band({{0, 1, 1, 1}, {9, 2, 2, 2}}, 0, 3).size() == 2);
}

TEST_CASE("the vertical range leaves out the first fall and lets close references in", "[report]") {
  CurveLine arm;
  for (int step = 0; step <= 1000; step += 50) arm.main.push_back({double(step), 0, 0, 0});
  for (CurvePoint& p : arm.main) p.mean = p.low = p.high = p.x < 50 ? 4 : 2.5 - p.x / 1000;
  // Shown: 1.5 to 2.45.
  auto [low, high] = loss_range({arm}, {});
  CHECK(low == Approx(1.5 - 0.04 * 0.95));
  CHECK(high == Approx(2.45 + 0.04 * 0.95));
  std::tie(low, high) =
      loss_range({arm}, {{"near", 1.4}, {"far", 1.2}, {"above", 2.5}, {"high", 3}});
  CHECK(low == Approx(1.4 - 0.04 * 0.95));
  CHECK(high == Approx(2.5 + 0.04 * 0.95));
}

TEST_CASE("a curve of few points is shown whole", "[report]") {
  CurveLine arm;
  arm.main = {{0, 4, 4, 4}, {200, 2.5, 2.5, 2.5}};
  CHECK(loss_range({arm}, {}).second > 4);
}

TEST_CASE("labels move apart as little as they must", "[report]") {
  CHECK(spread_labels({0.1, 0.5, 0.9}, 0.1, 0, 1) == std::vector<double>{0.1, 0.5, 0.9});
  const auto pair = spread_labels({0.50, 0.52}, 0.1, 0, 1);
  CHECK(pair[0] == Approx(0.46));
  CHECK(pair[1] == Approx(0.56));
  const auto edge = spread_labels({0.98, 0.99}, 0.1, 0, 1);
  CHECK(edge[0] == Approx(0.9));
  CHECK(edge[1] == Approx(1.0));
  const auto many = spread_labels({0.0, 0.01, 0.3, 0.31, 0.32, 0.99, 1.0}, 0.1, 0, 1);
  for (std::size_t i = 1; i < many.size(); ++i) CHECK(many[i] - many[i - 1] >= 0.1 - 1e-9);
  CHECK(many.front() >= 0);
  CHECK(many.back() <= 1 + 1e-9);
}

TEST_CASE("texts are counted and cut by characters, not bytes", "[report]") {
  CHECK(count_characters("±ab") == 3);
  CHECK(shortened("äöüß", 4) == "äöüß");
  CHECK(shortened("äöüßx", 4) == "äöü…");
  CHECK(wrapped("short", 10) == std::vector<std::string>{"short"});
  CHECK(wrapped("one two three", 8) == std::vector<std::string>{"one two", "three"});
}

TEST_CASE("nothing evaluated means nothing to draw", "[report]") {
  Results results = two_arms({}, {});
  results.arms[0].runs = {other_run(1, SeedState::Queued)};
  CHECK_FALSE(curves_figure(results));
}

}  // namespace
}  // namespace bitlab
