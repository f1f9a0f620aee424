#pragma once
// What training a model takes, known before the first step.
#include <cstddef>
#include <string>
#include <vector>

#include "experiments/rehearsal.h"
#include "experiments/spec.h"
#include "experiments/text_lengths.h"

namespace bitlab {

// Parameters by what they are, told by their names (docs/checkpoints.md).
struct ParamParts {
  std::size_t embedding = 0;  // of tokens and positions; a tied head reads it
  std::size_t attention = 0;
  std::size_t ffn = 0;
  std::size_t norms = 0;
  std::size_t head = 0;
  std::size_t other = 0;  // of plugins with names of their own

  std::size_t total() const { return embedding + attention + ffn + norms + head + other; }
  // The N of scaling laws: without embeddings and head, which grow with the vocabulary.
  std::size_t non_embedding() const { return total() - embedding - head; }
};

ParamParts count_parts(Layer& net);

struct Footprint {
  std::size_t params = 0, ternary_params = 0;
  ParamParts parts;
  std::size_t bytes_full = 0;    // all parameters as floats
  std::size_t bytes_packed = 0;  // ternary ones in 2 bits, the others as floats
  double tokens_per_step = 0;
  double tokens = 0;       // of the whole run
  double train_flops = 0;  // of all steps, without evaluations

  // Memory of training, beside the program and its data.
  std::size_t weight_bytes = 0, gradient_bytes = 0, optimizer_bytes = 0;
  std::size_t buffer_bytes = 0;      // what layers prepare of their weights
  std::size_t activation_bytes = 0;  // of all shards
  std::size_t teacher_bytes = 0;     // taken to be as large as the model, and its passes
  std::size_t training_bytes = 0;    // the sum
};

// Steps of a run whose passes are alike: while quantisation fades in they are others than later.
struct StepKind {
  double share = 1;  // of all steps
  Rehearsal pass;    // of one shard of texts of mean length
};

// Of a run's steps, the share in which quantisation has not faded in yet.
double fading_share(const Spec& spec, std::size_t vocab_size);

// vocab_size is the tokenizer's. Nothing of the model's size is allocated. `kinds`: the run's steps
// in their order, if they are wanted for more. Memory is that of the largest pass.
Footprint footprint(const Spec& spec,
                    std::size_t vocab_size,
                    const TextLengths& lengths = {},
                    std::vector<StepKind>* kinds = nullptr);

}  // namespace bitlab
