#pragma once
// The choice of the next token from a row of logits.
#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor/real.h"

namespace bitlab {

// Applied in this order, which is that of Hugging Face's transformers:
//   1. repetition_penalty  logits of tokens that came before are divided by it if they are
//                          positive, multiplied if not (Keskar et al., arXiv 1909.05858)
//   2. temperature         logits are divided by it; 0: the likeliest token, and no draw
//   3. top_k               the k likeliest are kept
//   4. top_p               of these, the likeliest whose probabilities together reach top_p
//                          (Holtzman et al., arXiv 1904.09751)
//   5. min_p               of these, those at least min_p times as likely as the likeliest
//                          (Nguyen et al., arXiv 2407.01082)
// Where two are as likely, the lower id comes first.
struct SamplingSettings {
  double repetition_penalty = 1;
  double temperature = 1;
  std::int64_t top_k = 0;  // 0: all
  double top_p = 1;
  double min_p = 0;
  std::uint64_t seed = 1;
};

// Throws UsageError for values that mean nothing.
void check(const SamplingSettings& settings);

struct Candidate {
  std::int32_t token = 0;
  double weight = 0;  // probability, up to a common factor
};

// What the next token is chosen from, by id. `history`: the tokens so far. Throws Error if a logit
// is NaN or none is finite.
std::vector<Candidate> candidates(std::span<const real> logits,
                                  const SamplingSettings& settings,
                                  std::span<const std::int32_t> history);

// Draws from candidates(). `position` names the draw: the same seed and position give the same
// random number, whatever came before.
std::int32_t sample_token(std::span<const real> logits,
                          const SamplingSettings& settings,
                          std::span<const std::int32_t> history,
                          std::uint64_t position);

}  // namespace bitlab
