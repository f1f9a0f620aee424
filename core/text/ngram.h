#pragma once
// What counting gives: the losses of n-gram tables, as reference lines for learned models.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bitlab {

struct NgramLoss {
  std::string name;       // "unigram", "bigram", "trigram", "4-gram" ...
  int order = 0;          // 1: frequencies only
  double loss = 0;        // nats a token on the validation split
  double train_loss = 0;  // on the split that was counted
};

// Tables of order 1..max_order counted on `train`, with p(c | context) =
// (count(context c) + 0.1) / (count(context) + 0.1 * vocab_size). No back-off. The first order - 1
// tokens of a split have no whole context and are left out. Throws Error if vocab_size^max_order
// exceeds 2^64 or a split is shorter than max_order.
std::vector<NgramLoss> ngram_losses(std::span<const std::int32_t> train,
                                    std::span<const std::int32_t> val,
                                    std::size_t vocab_size,
                                    int max_order = 4);

}  // namespace bitlab
