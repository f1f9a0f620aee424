// Studies of scaling: laws, gaps, what they say of larger models, claims about them, and the
// picture.
#include <cmath>

#include "core/base/error.h"
#include "report/claims.h"
#include "report/plot_scaling.h"
#include "report/plot_test.h"
#include "report/published_models.h"
#include "report/scaling_laws.h"
#include "report/scaling_verdict.h"
#include "report/verdict.h"

namespace bitlab {
namespace {

// Arms `full` and `bit` at the sizes 20,000, 40,000 ...: full = 1 + 30 N^-0.3, bit is `gap` above.
// Seeds scatter by 0.001.
template <class Gap>
Results ladder(std::size_t sizes, const Gap& gap) {
  std::vector<std::string> widths;
  for (std::size_t i = 0; i < sizes; ++i) widths.push_back(std::to_string(32 << i));
  Results results = sweep({{"model.d_model", widths}}, 3);
  for (ArmResult& arm : results.arms) {
    const auto width = static_cast<std::int64_t>(*arm.axes[0].number);
    arm.non_embedding_params = 20'000 * (width / 32) + (arm.base == "bit" ? 500 : 0);
    const double size = static_cast<double>(20'000 * (width / 32));
    for (SeedResult& run : arm.runs) {
      const double scatter = 0.001 * static_cast<double>((run.seed * 7 + width / 32) % 5 - 2);
      const double loss =
          1 + 30 * std::pow(size, -0.3) + scatter + (arm.base == "bit" ? gap(size) : 0);
      run = done_run(run.seed, loss, loss);
    }
  }
  return results;
}

double falling(double size) { return 0.02 + 6 * std::pow(size, -0.4); }
double level(double) { return 0.1; }
double wavering(double size) { return std::lround(std::log2(size / 20'000)) % 2 ? 0.101 : 0.1; }

TEST_CASE("a study of scaling finds the laws and the gap between them", "[report]") {
  const Results results = ladder(6, falling);
  const auto study = scaling_study(results);
  REQUIRE(study);
  CHECK(study->baseline.name == "full");
  REQUIRE(study->others.size() == 1);
  CHECK(study->baseline.law.exponent == Approx(0.3).epsilon(0.05));
  CHECK(study->largest() == 640'000);
  const auto gaps = measured_gaps(*study, study->others[0]);
  REQUIRE(gaps.size() == 6);
  CHECK(gaps[0].gap == Approx(falling(20'000)));
  CHECK(gaps[0].seeds == 3);
  CHECK(gaps[5].size == Approx(std::sqrt(640'000.0 * 640'500.0)));
  const LawFigure gap = gap_at(*study, study->others[0], 1e6);
  CHECK(gap.value == Approx(falling(1e6)).margin(0.005));
  CHECK(gap.interval.low < falling(1e6));
  CHECK(gap.interval.high > falling(1e6));
}

TEST_CASE("the trend of the gap is a line over doublings", "[report]") {
  // 0.3, 0.2, 0.2, 0.1 at four doublings: slope -0.06, residual sum of squares 0.002, so
  // se = sqrt(0.002 / 2 / 5) = 0.014142 and t(0.975, 2) = 4.30265.
  const auto trend = gap_trend({{1000, 0.3, 3}, {2000, 0.2, 3}, {4000, 0.2, 3}, {8000, 0.1, 3}});
  REQUIRE(trend);
  CHECK(trend->value == Approx(-0.06));
  CHECK(trend->interval.high == Approx(-0.06 + 0.0608487).epsilon(1e-4));
  CHECK_FALSE(gap_trend({{1000, 0.3, 3}, {2000, 0.2, 3}}));
}

TEST_CASE("too few sizes, or sizes too close, make no study", "[report]") {
  const Results three = ladder(3, level), four = ladder(4, level);
  CHECK_FALSE(scaling_study(three));
  CHECK(scaling_study(four));
  Results close = ladder(4, level);
  for (ArmResult& arm : close.arms)
    arm.non_embedding_params = 100'000 + arm.non_embedding_params / 10;
  CHECK_FALSE(scaling_study(close));
  Results old = ladder(6, level);
  for (ArmResult& arm : old.arms) arm.non_embedding_params = 0;  // a plan that does not say
  CHECK_FALSE(scaling_study(old));
  CHECK_FALSE(scaling_figure(old));
  Results one = ladder(6, level);
  std::erase_if(one.arms, [](const ArmResult& arm) { return arm.base == "bit"; });
  CHECK_FALSE(scaling_study(one));
}

TEST_CASE("of several points of one size the best counts, of unfinished ones none", "[report]") {
  Results results = ladder(5, level);
  ArmResult worse = results.arms[0];
  worse.name = "full worse";
  for (SeedResult& run : worse.runs) run = done_run(run.seed, 9, 9);
  results.arms.insert(results.arms.begin(), worse);
  for (SeedResult& run : results.arms[5].runs) fail_run(run);  // full at the largest
  const auto study = scaling_study(results);
  REQUIRE(study);
  CHECK(study->baseline.points.size() == 4);
  CHECK(study->others[0].points.size() == 5);
  CHECK(study->baseline.points[0].arm->name == results.arms[1].name);
  CHECK(measured_gaps(*study, study->others[0]).size() == 4);
}

TEST_CASE("the verdict tells laws, gaps, trend and outlook", "[report]") {
  const std::string text = verdict(ladder(6, falling));
  CHECK(contains(text, "full: L(N) = "));
  CHECK(contains(text, "over 6 sizes of 20,000 to 640,000 parameters outside of the embedding"));
  CHECK(contains(text, "a doubling changes it by -0.0"));
  CHECK(contains(text, "it shrinks"));
  CHECK(contains(text, "at 3B"));
  CHECK(contains(text, "That is 5034 times the largest size trained here"));
  CHECK_FALSE(contains(text, "best of its"));
  CHECK(contains(verdict(ladder(6, wavering)), "neither shrinking nor growing is shown"));
}

TEST_CASE("published gaps stand beside ternary against full precision alone", "[report]") {
  Results results = ladder(6, falling);
  const TextTable table = scaling_table(*scaling_study(results));
  REQUIRE(table.rows.size() == published_models().size());
  CHECK(table.rows[0].size() == table.heads.size());
  CHECK(table.rows[0][0] == "700M");
  // ln(12.87) / ln(12.33) - 1, and 3.199 / 3.111 - 1.
  CHECK(table.rows[0][5] == "+1.7 %");
  CHECK(table.rows[0][6] == "+2.8 %");
  CHECK(table.rows[2][5] == "-0.6 %");
  for (ArmResult& arm : results.arms) arm.ternary_params = 0;
  CHECK(scaling_table(*scaling_study(results)).heads.size() == 5);
}

TEST_CASE("claims can be about laws", "[report]") {
  Results results = ladder(6, level);
  results.claims = {"behind at a million | law@1M: bit > full",
                    "ahead at a million | law@1e6: bit < full",
                    "as good as | law@1M: bit = full +- 0.05",
                    "low | law@1M: full < 2",
                    "nobody | law@1M: full < third",
                    "bad size | law@many: full < bit"};
  const std::vector<Finding> findings = judge_claims(results);
  CHECK(findings[0].judgement == Judgement::Supported);
  CHECK(contains(findings[0].measured, "difference 0.10"));
  CHECK(contains(findings[0].measured, "1.6 times beyond the largest size trained"));
  CHECK(findings[1].judgement == Judgement::Contradicted);
  CHECK(findings[2].judgement == Judgement::Contradicted);
  CHECK(findings[3].judgement == Judgement::Supported);
  CHECK(contains(findings[4].measured, "'third' must be a number or an arm"));
  CHECK(contains(findings[5].measured, "like 'law@3.2e9' or 'law@700M'"));
  check_claim(results.claims[0], {"full", "bit"});
  CHECK_THROWS_AS(check_claim(results.claims[5], {"full", "bit"}), UsageError);
  results.arms.resize(3);
  CHECK(contains(judge_claims(results)[0].measured, "done at 4 sizes"));
}

TEST_CASE("the picture has laws, bands, dots, and the published sizes", "[plot]") {
  const std::optional<Figure> figure = scaling_figure(ladder(6, falling));
  check_drawn(figure);
  const std::string& script = figure->script;
  CHECK(count_of(script, "filledcurves") == 3);  // two laws and their gap
  CHECK(contains(script, "'700M'"));
  CHECK(contains(script, "validation loss (nats per"));
  CHECK(contains(script, "'full: 1.0"));
}

}  // namespace
}  // namespace bitlab
