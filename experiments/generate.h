#pragma once
// Text from a language model.
#include <cstdint>
#include <functional>
#include <vector>

#include "layers/models/model.h"

namespace bitlab {

struct SamplingSettings {
  double temperature = 1;  // 0: the likeliest token
  std::int64_t top_k = 0;  // choose among this many, 0 for all
  std::uint64_t seed = 1;
};

// Draws a token from one row of logits. `position` names the draw: the same seed and position give
// the same one.
std::int32_t sample_token(const real* logits,
                          std::size_t vocab_size,
                          const SamplingSettings& settings,
                          std::uint64_t position);

// Extends `tokens` by `count` tokens and hands each to `emit` as it comes. The model sees the last
// seq_len tokens; positions are counted from the first of these. An empty start begins with token
// 0.
void generate(const LanguageModel& model,
              std::vector<std::int32_t> tokens,
              std::size_t count,
              const SamplingSettings& settings,
              const std::function<void(std::int32_t)>& emit);

}  // namespace bitlab
