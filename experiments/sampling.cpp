#include "experiments/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/base/error.h"
#include "core/base/rng.h"

namespace bitlab {

void check(const SamplingSettings& s) {
  const auto refuse_unless = [](bool good, const char* name, const char* must, double value) {
    if (!good)
      throw UsageError(
          "sampling", std::string(name) + " must be " + must + ", but is " + std::to_string(value));
  };
  refuse_unless(s.repetition_penalty > 0, "the repetition penalty", "positive",
                s.repetition_penalty);
  refuse_unless(s.temperature >= 0 && std::isfinite(s.temperature), "the temperature",
                "0 or a positive number", s.temperature);
  refuse_unless(s.top_k >= 0, "top-k", "0 (all) or a number of tokens",
                static_cast<double>(s.top_k));
  refuse_unless(s.top_p > 0 && s.top_p <= 1, "top-p", "above 0 and at most 1", s.top_p);
  refuse_unless(s.min_p >= 0 && s.min_p <= 1, "min-p", "from 0 to 1", s.min_p);
}

namespace {

struct Scored {
  std::int32_t token = 0;
  double score = 0;  // a logit, later a weight
};

bool likelier(const Scored& a, const Scored& b) {
  return a.score != b.score ? a.score > b.score : a.token < b.token;
}

std::vector<Scored> penalised(std::span<const real> logits,
                              double penalty,
                              std::span<const std::int32_t> history) {
  std::vector<Scored> scores(logits.size());
  bool finite = false, nan = false;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    scores[i] = {static_cast<std::int32_t>(i), static_cast<double>(logits[i])};
    finite |= std::isfinite(logits[i]);
    nan |= std::isnan(logits[i]) || logits[i] == std::numeric_limits<real>::infinity();
  }
  if (nan || !finite)
    throw Error("generate", "logits must be finite, but are not", "did this run diverge?");
  if (penalty == 1) return scores;
  std::vector<bool> seen(logits.size());
  for (const std::int32_t token : history)
    if (static_cast<std::size_t>(token) < seen.size()) seen[static_cast<std::size_t>(token)] = true;
  for (Scored& s : scores)
    if (seen[static_cast<std::size_t>(s.token)])
      s.score = s.score > 0 ? s.score / penalty : s.score * penalty;
  return scores;
}

void keep_top_k(std::vector<Scored>& scores, std::size_t k) {
  if (k == 0 || k >= scores.size()) return;
  std::nth_element(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(k), scores.end(),
                   likelier);
  scores.resize(k);
}

// Sorts only as far as it must look: mostly a few tokens hold most of the probability.
void keep_top_p(std::vector<Scored>& weights, double p) {
  if (p >= 1) return;
  double total = 0;
  for (const Scored& s : weights) total += s.score;
  double sum = 0;
  std::size_t sorted = 0, kept = 0;
  while (kept < weights.size() && (kept == 0 || sum < p * total)) {
    if (kept == sorted) {
      sorted = std::min(weights.size(), std::max<std::size_t>(64, 4 * sorted));
      std::partial_sort(weights.begin() + static_cast<std::ptrdiff_t>(kept),
                        weights.begin() + static_cast<std::ptrdiff_t>(sorted), weights.end(),
                        likelier);
    }
    sum += weights[kept++].score;
  }
  weights.resize(kept);
}

}  // namespace

std::vector<Candidate> candidates(std::span<const real> logits,
                                  const SamplingSettings& settings,
                                  std::span<const std::int32_t> history) {
  std::vector<Scored> scores = penalised(logits, settings.repetition_penalty, history);
  const Scored best = *std::min_element(scores.begin(), scores.end(), likelier);
  if (settings.temperature == 0) return {{best.token, 1}};
  keep_top_k(scores, static_cast<std::size_t>(settings.top_k));
  for (Scored& s : scores) s.score = std::exp((s.score - best.score) / settings.temperature);
  keep_top_p(scores, settings.top_p);
  std::vector<Candidate> kept;
  for (const Scored& s : scores)
    if (s.score >= settings.min_p) kept.push_back({s.token, s.score});  // the likeliest has 1
  std::sort(kept.begin(), kept.end(),
            [](const Candidate& a, const Candidate& b) { return a.token < b.token; });
  return kept;
}

std::int32_t sample_token(std::span<const real> logits,
                          const SamplingSettings& settings,
                          std::span<const std::int32_t> history,
                          std::uint64_t position) {
  const std::vector<Candidate> kept = candidates(logits, settings, history);
  double total = 0;
  for (const Candidate& c : kept) total += c.weight;
  double draw = Rng(settings.seed, "generate").uniform(position, 0) * total;
  for (const Candidate& c : kept)
    if ((draw -= c.weight) < 0) return c.token;
  return std::find_if(kept.rbegin(), kept.rend(), [](const Candidate& c) { return c.weight > 0; })
      ->token;  // rounding only
}

}  // namespace bitlab
