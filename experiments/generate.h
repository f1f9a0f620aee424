#pragma once
// Text from a language model.
#include <cstdint>
#include <functional>
#include <vector>

#include "experiments/sampling.h"
#include "layers/models/model.h"

namespace bitlab {

struct GenerateOptions {
  SamplingSettings sampling;
  std::size_t max_tokens = 100;
  std::vector<std::int32_t> end_tokens = {};  // each ends the text and is not part of it
  std::size_t vocab_size = 0;  // choose among this many tokens, the tokenizer's; 0: the model's
  // With a cache of keys and values, only new tokens are computed; without one, the whole window at
  // each. The tokens are the same.
  bool cache = true;
  std::size_t chunk = 256;  // tokens of the prompt that are read in one pass
};

struct GenerateStats {
  std::size_t prompt_tokens = 0, new_tokens = 0;
  double prefill_seconds = 0;    // until the logits after the prompt were there
  double decode_seconds = 0;     // after that
  double prefill_speed() const;  // tokens a second, 0 if nothing was done
  double decode_speed() const;
};

// Extends `tokens` (not empty) and hands each new token to `emit` as it comes, until max_tokens, an
// end token, or emit returns false. Draw i is that of position i (sample_token). A text longer than
// the model's seq_len is read through a window: when that is full, its oldest quarter is dropped,
// the rest is read anew, and positions are counted from the first token that is left.
GenerateStats generate(const LanguageModel& model,
                       std::vector<std::int32_t> tokens,
                       const GenerateOptions& options,
                       const std::function<bool(std::int32_t)>& emit);

// The first token of the window when the text has `length` tokens.
std::size_t window_begin(std::size_t length, std::size_t seq_len);

}  // namespace bitlab
