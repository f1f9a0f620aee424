// Claims: how their tests are read, what figures they take, and how they are judged.
#include "report/claims.h"

#include <cmath>

#include "core/base/catch.h"
#include "report/claim_test.h"
#include "report/fake_results.h"
#include "report/run_metrics.h"

using namespace bitlab;

namespace {

Finding only_finding(Results& results, const std::string& claim) {
  results.claims = {claim};
  return judge_claims(results).at(0);
}

Judgement judgement(Results& results, const std::string& test) {
  return only_finding(results, "it is so | " + test).judgement;
}

// A sweep of `full` over learning rates; a loss that is not finite stands for a run that diverged.
Results sweep(const std::vector<std::pair<double, std::vector<double>>>& points) {
  Results results;
  for (const auto& [lr, losses] : points) {
    ArmResult arm{"full lr=" + std::to_string(lr), 1, 0, {}};
    arm.base = "full";
    arm.axes = {{"optim.lr", std::to_string(lr), lr}};
    for (std::size_t i = 0; i < losses.size(); ++i) {
      const auto seed = static_cast<std::int64_t>(i + 1);
      arm.runs.push_back(std::isfinite(losses[i])
                             ? done_run(seed, losses[i], losses[i])
                             : other_run(seed, SeedState::Failed, "diverged at step 12", 12));
    }
    results.arms.push_back(arm);
  }
  return results;
}

ArmGroup group(const Results& results) {
  ArmGroup arms;
  for (const ArmResult& arm : results.arms) arms.push_back(&arm);
  return arms;
}

}  // namespace

TEST_CASE("a claim has its words, a bar and a test", "[claims]") {
  const SplitClaim split = split_claim("norms |help| | rms < none");
  CHECK(split.claim == "norms |help|");
  CHECK(split.test == "rms < none");
  CHECK(message_of([] { split_claim("norms help"); }) ==
        "[claim] must be 'CLAIM | TEST', but got 'norms help'; docs/claims.md shows tests");

  const ClaimTest chain = parse_claim_test("two stage < linear < constant");
  REQUIRE(chain.steps.size() == 2);
  CHECK(chain.figure == "loss");
  CHECK(chain.steps[0].left == "two stage");
  CHECK(chain.steps[1].left == "linear");
  CHECK(chain.steps[1].right == "constant");
  const ClaimTest equal = parse_claim_test("flips: frozen = 0 +- 0.01");
  CHECK(equal.figure == "flips");
  CHECK(equal.steps[0].right == "0");
  CHECK(*equal.steps[0].tolerance == 0.01);
  for (const char* wrong : {"", "a", "a <", "< b", "a < b +- 1", "a = b +- x", "a = b +- -1"}) {
    INFO(wrong);
    CHECK(message_of([&] { parse_claim_test(wrong); }).find("a test must be like") !=
          std::string::npos);
  }
}

TEST_CASE("the interval of the paired differences decides", "[claims]") {
  Results results = two_arms({1.80, 1.82, 1.81}, {1.90, 1.93, 1.91});  // 0.10 0.11 0.10
  CHECK(judgement(results, "full < bit") == Judgement::Supported);
  CHECK(judgement(results, "bit < full") == Judgement::Contradicted);
  CHECK(judgement(results, "bit > full") == Judgement::Supported);
  CHECK(judgement(results, "bit = full +- 0.2") == Judgement::Supported);
  CHECK(judgement(results, "bit = full +- 0.01") == Judgement::Contradicted);
  CHECK(judgement(results, "bit = full +- 0.105") == Judgement::Undecided);
  CHECK(judgement(results, "full < 1.9") == Judgement::Supported);
  CHECK(judgement(results, "full < bit < 1.5") == Judgement::Contradicted);
  CHECK(judgement(results, "full < bit < 1.92") == Judgement::Undecided);

  const Finding finding = only_finding(results, "ternary weights cost | bit > full");
  CHECK(finding.claim == "ternary weights cost");
  // t(0.975, 2) = 4.3027, sd 0.0057735, sd / sqrt(3) = 0.0033333
  CHECK(
      finding.measured ==
      "bit 1.913 against full 1.810; difference 0.1033 (95 % interval 0.0890 to 0.1177, 3 seeds)");
}

TEST_CASE("arms with fewer than two common seeds are judged by ranks", "[claims]") {
  Results results = two_arms({1.80, 1.84, 1.88, 1.81}, {1.90, 1.92, 1.99, 1.93});
  for (SeedResult& run : results.arms[1].runs) run.seed += 10;
  const Finding finding = only_finding(results, "ternary costs | full < bit");
  CHECK(finding.judgement == Judgement::Supported);
  CHECK(finding.measured ==
        "full 1.833 against bit 1.935; Mann-Whitney over 4 and 4 seeds, none common: U = 0 of 16, "
        "p = 0.029");
  CHECK(judgement(results, "full > bit") == Judgement::Contradicted);
  CHECK(judgement(results, "full = bit +- 5") == Judgement::Undecided);
  CHECK(judgement(results, "full < 1.9") == Judgement::Supported);  // a number needs no pairs
  results.arms[1].runs.resize(2);  // 2 against 4: p is 2 / 15 at least
  CHECK(judgement(results, "full < bit") == Judgement::Undecided);
}

TEST_CASE("what cannot be judged is undecided and says why", "[claims]") {
  Results one = two_arms({1.8}, {1.9});
  CHECK(only_finding(one, "x | bit > full").measured ==
        "bit 1.900 against full 1.800; one seed gives no interval");
  CHECK(judgement(one, "bit > full") == Judgement::Undecided);
  CHECK(only_finding(one, "x | bit > fool").measured ==
        "'fool' is none of the arms here (full, bit), no reference loss and no number");
  CHECK(only_finding(one, "no test").judgement == Judgement::Undecided);
  CHECK(only_finding(one, "x | speed: bit > full").measured.find("best_lr") != std::string::npos);
  one.arms[1].runs[0].state = SeedState::Running;
  CHECK(only_finding(one, "x | bit > full").measured ==
        "no seed has loss of both bit and full yet");
  one.references = {{"bigram", 2.484}};
  CHECK(only_finding(one, "x | full < bigram").measured.find("bigram 2.484") != std::string::npos);
}

TEST_CASE("the best learning rate is the minimum of a parabola over its logarithm", "[claims]") {
  // Losses (log2 lr - 0.25)^2 at lr 1/2, 1, 2, 4: the minimum is at 2^0.25.
  Results results = sweep({{4, {3.0625}}, {0.5, {1.5625}}, {1, {0.0625}}, {2, {0.5625}}});
  CHECK(*run_metric("best_lr").of(group(results), 1) == Approx(std::pow(2, 0.25)));
  CHECK_FALSE(run_metric("best_lr").of(group(results), 2));
  // At the edge of the sweep, or beside a run that diverged, it is the point itself.
  results = sweep({{1, {1.0}}, {2, {1.5}}});
  CHECK(*run_metric("best_lr").of(group(results), 1) == 1);
  results = sweep({{1, {1.2}}, {2, {1.0}}, {4, {NAN}}});
  CHECK(*run_metric("best_lr").of(group(results), 1) == 2);
}

TEST_CASE("the highest learning rate that trains ends where the loss is 0.1 above the lowest",
          "[claims]") {
  Results results = sweep({{1, {1.5}}, {2, {1.0}}, {4, {1.05}}, {8, {1.15}}, {16, {1.0}}});
  CHECK(*run_metric("highest_lr").of(group(results), 1) == Approx(std::exp2(2.5)));
  results = sweep({{1, {1.0}}, {2, {1.05}}, {4, {NAN}}, {8, {1.0}}});
  CHECK(*run_metric("highest_lr").of(group(results), 1) == Approx(2));
  results = sweep({{1, {1.0}}, {2, {1.05}}});
  CHECK(*run_metric("highest_lr").of(group(results), 1) == Approx(2));
  // A run that failed for another reason says nothing of its learning rate.
  results = sweep({{1, {1.0}}, {2, {NAN}}, {4, {1.05}}});
  results.arms[1].runs[0].reason = "the worker was ended by signal 9";
  CHECK(*run_metric("highest_lr").of(group(results), 1) == Approx(4));
}

TEST_CASE("learning rates are compared by their ratio", "[claims]") {
  Results results = sweep({{1, {1.2, 1.2}}, {2, {1.0, 1.0}}, {4, {1.2, 1.2}}});
  const std::size_t points = results.arms.size();
  for (std::size_t i = 0; i < points; ++i) {
    ArmResult twin = results.arms[i];
    twin.base = "bit";
    twin.axes[0].number = *twin.axes[0].number * 2;
    results.arms.push_back(twin);
  }
  const Finding finding = only_finding(results, "bears more | best_lr: bit > full");
  CHECK(finding.judgement == Judgement::Supported);
  CHECK(finding.measured ==
        "best_lr of bit 4.00 against full 2.00; ratio 2.00 (95 % interval 2.00 to 2.00, 2 seeds)");
  CHECK(only_finding(results, "x | bit < full").measured.find("must be one arm") !=
        std::string::npos);
}

TEST_CASE("the drop over half time and the ratio of slopes", "[claims]") {
  Results results = two_arms({1.0}, {1.0});
  SeedResult& run = results.arms[0].runs[0];
  run.eval.clear();
  // 2 - x until half time, a drop of 0.3, then level, and at last ten times as steep.
  for (int i = 0; i <= 40; ++i) {
    const double x = i / 40.0;
    const double loss = x <= 0.5 ? 2 - x : x <= 0.95 ? 1.2 : 1.2 - 10 * (x - 0.95);
    run.eval.push_back({i * 25, "val", loss, 0, 1});
  }
  const ArmGroup arm = {&results.arms[0]};
  CHECK(*run_metric("drop").of(arm, 1) == Approx(0.3));
  run.eval.clear();
  for (int i = 0; i <= 40; ++i) {
    const double x = i / 40.0;
    run.eval.push_back({i * 25, "val", x <= 0.95 ? 2 - x : 1.05 - 10 * (x - 0.95), 0, 1});
  }
  CHECK(*run_metric("slope_ratio").of(arm, 1) == Approx(10));
  CHECK_FALSE(run_metric("slope_ratio").of({&results.arms[1]}, 1));  // three evaluations only
}

TEST_CASE("flips are summed over the run and averaged over matrices", "[claims]") {
  FakeResults fake;
  fake.add_arm("full", {1, 2});
  for (const std::int64_t seed : {1, 2}) {
    fake.finish("full", seed, 1.8, 1.8);
    MetricsWriter writer = MetricsWriter::resume(fake.run("full", seed) / "metrics.h5", 1000);
    for (const double flips : {0.0, 0.25, 0.5})
      for (const char* layer : {"a", "b"})
        writer.append(QuantRow{100, layer, 0.3, 0.4, 0.3, layer[0] == 'a' ? flips : 0, 1});
    writer.flush();
  }
  Results results = load_results(fake.path());
  CHECK(*run_metric("flips").of({&results.arms[0]}, 2) == 0.375);
  CHECK(judgement(results, "flips: full = 0.375") == Judgement::Supported);
  CHECK(judgement(results, "flips: full = 0") == Judgement::Contradicted);
  CHECK(judgement(results, "flips: full > 0.375") == Judgement::Contradicted);
  CHECK(judgement(results, "flips: full < 0.375") == Judgement::Contradicted);
  CHECK(judgement(results, "flips: full > 0.37") == Judgement::Supported);
}

TEST_CASE("claims are told in the verdict and on a page of their own", "[claims]") {
  Results results = two_arms({1.80, 1.82, 1.81}, {1.90, 1.93, 1.91});
  results.experiment = "fake";
  results.folder = "/somewhere/fake";
  results.claims = {"a | b helps | full < bit"};
  CHECK(claims_text(results) ==
        "Claim: a | b helps\n  tested as full < bit: full 1.810 against bit 1.913; difference "
        "-0.1033 "
        "(95 % interval -0.1177 to -0.0890, 3 seeds).\n  supported here.\n");
  const std::string page = claims_page({results});
  CHECK(page.find("| a \\| b helps | [fake](fake/README.md): `full < bit` | full 1.810 against") !=
        std::string::npos);
  CHECK(page.find("**supported here** |") != std::string::npos);
}

TEST_CASE("a claim that names no arm of its file is refused before it runs", "[claims]") {
  CHECK(message_of([] { check_claim("x | a < b", {"a", "b"}); }).empty());
  CHECK(message_of([] { check_claim("x | a < bigram", {"a"}); }).empty());
  CHECK(message_of([] {
          check_claim("x | c < d", {"a", "b"});
        }).find("must name an arm") != std::string::npos);
  CHECK(message_of([] {
          check_claim("x | flops: a < b", {"a", "b"});
        }).find("flips") != std::string::npos);
}
