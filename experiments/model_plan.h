#pragma once
// All that can be said of a model before it is trained: what `bitlab plan` shows.
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "experiments/energy.h"
#include "experiments/footprint.h"
#include "experiments/step_time.h"

namespace bitlab {

struct InferenceMemory {
  double ternary_bits = 0;  // a weight of the ternary part; the rest has 16
  double bytes = 0;
};

struct ModelPlan {
  std::size_t seq_len = 0, vocab_size = 0;  // vocab_size: width of the logits
  Footprint size;
  // Activations with and without recomputed blocks; empty if the model has no such setting.
  bool recomputed = false;  // as configured
  std::optional<std::size_t> activation_bytes_other;
  // Of one token at the full length: 2 and 6 FLOPs a multiply-add; and what products of a step
  // compute, with recomputed blocks twice.
  double forward_flops = 0, train_flops = 0, computed_train_flops = 0;
  std::vector<InferenceMemory> inference;  // at 16, 8, 2 and 1.6 bits
  double cache_bytes_16 = 0;               // of keys and values a token, at 16 bits
  std::vector<TokenEnergy> energy;
  double optimal_tokens = 0;  // 20 a parameter (Hoffmann et al., arXiv 2203.15556)
  StepTime step;
  double teacher_seconds = 0;   // of a step, beside it: of a teacher that is asked in every step
  bool encoder = false;         // reads whole texts: no cache, no next token
  std::size_t timed_calls = 0;  // different kernel calls that `step` rests on

  double step_seconds() const { return step.total() + teacher_seconds; }
  double tokens_per_s() const { return size.tokens_per_step / step_seconds(); }
};

// vocab_size is the tokenizer's, lengths those of the texts to train on. `other`: the same spec
// with recomputation the other way round, or null. Allocates nothing of the model's size.
ModelPlan plan_model(const Spec& spec,
                     const Spec* other,
                     std::size_t vocab_size,
                     const TextLengths& lengths,
                     std::size_t threads,
                     const CallTimer& time);

}  // namespace bitlab
