#pragma once
// What was published of BitNet b1.58 and its full-precision twins (Ma et al. 2024,
// arXiv:2402.17764): LLaMA's architecture, 100B tokens of RedPajama each.
#include <vector>

namespace bitlab {

// Losses in nats a token. Perplexities and training curves are on different data: a loss of one
// must not be held against a loss of the other.
struct PublishedLosses {
  double full = 0, ternary = 0;

  double gap() const { return ternary - full; }
};

struct PublishedModel {
  const char* name;
  double params = 0;           // outside of embedding and head
  PublishedLosses perplexity;  // ln of table 1
  PublishedLosses curve;       // end of the training curves, read off to +- 0.01
};

const std::vector<PublishedModel>& published_models();  // ascending

}  // namespace bitlab
