#include "report/verdict.h"

#include "core/base/catch.h"
#include "report/fake_results.h"

namespace bitlab {
namespace {

const char* const kData =
    "Data: tinyshakespeare, 1,003,854 training and 111,540 validation characters, sha256 "
    "86c4e6aa.\n";

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

TEST_CASE("a clear loss is said with its interval and what it means", "[report]") {
  // The numbers of the paired interval's hand calculation; exp(0.0966667) = 1.101493.
  CHECK(verdict(two_arms({1.80, 1.84, 1.88}, {1.90, 1.92, 1.99})) ==
        std::string("bit ends 0.097 nats/character above full (95 % interval 0.059 to 0.135, 3 "
                    "paired seeds): in "
                    "this setting ternary weights cost 10.1 % in perplexity.\n") +
            kData);
}

TEST_CASE("a clear gain of the ternary arm is said as one", "[report]") {
  // exp(-0.0966667) = 0.907858.
  CHECK(first_line(verdict(two_arms({1.90, 1.92, 1.99}, {1.80, 1.84, 1.88}))) ==
        "bit ends 0.097 nats/character below full (95 % interval -0.135 to -0.059, 3 paired "
        "seeds): in this "
        "setting ternary weights gain 9.2 % in perplexity.");
}

TEST_CASE("arms that differ in something else are better or worse", "[report]") {
  Results results = two_arms({1.80, 1.84, 1.88}, {1.90, 1.92, 1.99});
  results.arms[0].ternary_params = 5;
  CHECK(first_line(verdict(results)) ==
        "bit ends 0.097 nats/character above full (95 % interval 0.059 to 0.135, 3 paired seeds): "
        "in this "
        "setting bit is worse than full, by 10.1 % in perplexity.");
}

TEST_CASE("an interval around zero is no difference", "[report]") {
  // Differences 0.02 -0.01 0.02: mean 0.01, sd 0.01732051, half width 0.0430265.
  CHECK(first_line(verdict(two_arms({1.80, 1.80, 1.80}, {1.82, 1.79, 1.82}))) ==
        "bit ends 0.010 nats/character above full (95 % interval -0.033 to 0.053, 3 paired seeds), "
        "an interval "
        "that contains 0: these seeds show no difference that chance could not make.");
}

TEST_CASE("equal losses end level", "[report]") {
  CHECK(first_line(verdict(two_arms({1.8, 1.9}, {1.8, 1.9}))) ==
        "bit ends level with full to within 0.001 nats/character (95 % interval 0.000 to 0.000, 2 "
        "paired seeds), an "
        "interval that contains 0: these seeds show no difference that chance could not make.");
}

TEST_CASE("tiny but sure differences get the digits that show them", "[report]") {
  // Differences 0.0010 and 0.0012: mean 0.0011, sd 1.414214e-4, half width 12.7062 * 1e-4 =
  // 0.00127.
  CHECK(first_line(verdict(two_arms({1.8, 1.8}, {1.801, 1.8012}))) ==
        "bit ends 0.0011 nats/character above full (95 % interval -0.0002 to 0.0024, 2 paired "
        "seeds), an interval "
        "that contains 0: these seeds show no difference that chance could not make.");
}

TEST_CASE("one seed gives no interval, and the verdict says so", "[report]") {
  CHECK(first_line(verdict(two_arms({1.80}, {1.89}))) ==
        "bit ends 0.090 nats/character above full on seed 1, the only pair: one seed gives no "
        "interval, so how much "
        "of that is chance is unknown.");
}

TEST_CASE("failed and running seeds are named and stay out of the pairs", "[report]") {
  Results results = two_arms({1.80, 1.84, 1.88}, {1.90, 1.92});
  results.arms[1].runs.push_back(other_run(3, SeedState::Failed, "diverged at step 120"));
  results.arms[0].runs.push_back(other_run(4, SeedState::Running, "", 700));
  // Differences 0.10 and 0.08: mean 0.09, half width 12.7062 * 0.01414214 / sqrt(2) = 0.127062.
  CHECK(verdict(results) ==
        std::string(
            "bit ends 0.090 nats/character above full (95 % interval -0.037 to 0.217, 2 paired "
            "seeds), an "
            "interval that contains 0: these seeds show no difference that chance could not make.\n"
            "Unfinished: full: 3 of 4 done; seed 4 running at step 700 of 1000. bit: 2 of 3 done; "
            "seed 3 "
            "failed: diverged at step 120. Only runs that are done enter the figures, which "
            "flatters an arm "
            "whose seeds failed.\n") +
            kData);
}

TEST_CASE("pairs are of the same seed, whatever the order", "[report]") {
  Results results = two_arms({1.0, 2.0, 3.0}, {2.1, 1.1});
  results.arms[1].runs[0].seed = 2;
  results.arms[1].runs[1].seed = 1;
  CHECK(first_line(verdict(results)).find("ends 0.100 nats/character above") != std::string::npos);
}

TEST_CASE("without a common seed there is no comparison", "[report]") {
  Results results = two_arms({1.8}, {});
  results.arms[1].runs.push_back(other_run(1, SeedState::Queued));
  CHECK(verdict(results) ==
        std::string("bit cannot be compared with full yet: no seed is done in both.\n"
                    "Unfinished: bit: 0 of 1 done; seed 1 not started. Only runs that are done "
                    "enter the figures.\n") +
            kData);
}

TEST_CASE("arms without common seeds are compared by ranks", "[report]") {
  Results results = two_arms({1.80, 1.84, 1.88, 1.81}, {1.90, 1.92, 1.99, 1.93});
  for (SeedResult& run : results.arms[1].runs) run.seed += 10;
  // 16 of 16 pairs: p = 2 / (8 choose 4) = 0.0286. The middle two of the sorted differences are
  // 0.10 and 0.11; exp(0.105) = 1.1107.
  CHECK(first_line(verdict(results)) ==
        "bit ends 0.105 nats/character above full (median of all differences; Mann-Whitney over 4 "
        "and 4 seeds, none common: U = 16 of 16, p = 0.029): in this setting ternary weights cost "
        "11.1 % in perplexity.");
}

TEST_CASE("one common seed is no reason to throw the others away", "[report]") {
  Results results = two_arms({1.80, 1.84, 1.88}, {1.90, 1.92, 1.99});
  for (SeedResult& run : results.arms[1].runs) run.seed += 2;
  CHECK(
      first_line(verdict(results)) ==
      "bit ends 0.100 nats/character above full (median of all differences; Mann-Whitney over 3 "
      "and 3 seeds, 1 common: U = 9 of 9, p = 0.10, and so few can give no less than 0.10): these "
      "seeds show no difference that chance could not make.");
}

TEST_CASE("three arms are each compared with the baseline", "[report]") {
  Results results = two_arms({1.80, 1.84, 1.88}, {1.90, 1.92, 1.99});
  results.arms.push_back(results.arms[1]);
  results.arms[2].name = "third";
  std::swap(results.arms[0], results.arms[1]);  // the baseline need not come first
  const std::string text = verdict(results);
  CHECK(text.find("bit ends 0.097 nats/character above full (") == 0);
  CHECK(text.find("\nthird ends 0.097 nats/character above full (") != std::string::npos);
  CHECK(text.find("\nEach of the 2 intervals stands alone; taken together they miss more often "
                  "than one time in "
                  "twenty.\n") != std::string::npos);
}

TEST_CASE("one arm has nothing to be compared with", "[report]") {
  Results results = two_arms({1.80, 1.84, 1.88}, {});
  results.arms.pop_back();
  CHECK(first_line(verdict(results)) ==
        "full ends at 1.840 ± 0.040 (sd) nats/character over 3 seeds; with one arm there is "
        "nothing to compare.");
  results.arms[0].runs = {other_run(1, SeedState::Queued)};
  CHECK(first_line(verdict(results)) == "No run of full is done yet.");
}

TEST_CASE("the nearest references give the scale", "[report]") {
  Results results = two_arms({1.80, 1.84, 1.88}, {1.90, 1.92, 1.99});
  results.references = {
      {"unigram", 3.309}, {"bigram", 2.484}, {"trigram", 2.046}, {"4-gram", 1.784}};
  CHECK(verdict(results).find(
            "\nFor scale: full ends at 1.840; on the same split the nearest references are trigram "
            "2.046 and 4-gram 1.784.\n") != std::string::npos);
}

TEST_CASE("the source that was really used is named", "[report]") {
  Results results = two_arms({1.8}, {1.9});
  results.data = {"synthetic-plays", "", "character", 0, 0, 0};
  CHECK(verdict(results).find("\nData: synthetic-plays.\n") != std::string::npos);
}

}  // namespace
}  // namespace bitlab
