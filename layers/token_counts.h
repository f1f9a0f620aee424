#pragma once
// Texts as bags of words.
#include <string>

#include "layers/layer.h"

namespace bitlab {

// y[b, v] = how often token v stands in text b, divided by the text's tokens. Reads pass.tokens;
// its input is not used and its input gradient is empty. A row a text, V columns.
class TokenCounts : public Layer {
 public:
  explicit TokenCounts(size_t vocab_size) : vocab_size_(vocab_size) {}

  View forward(View x, Pass& pass) const override;  // throws Error for a token >= V
  View backward(View, Pass&) const override { return {}; }
  void visit_params(const std::string&, const ParamVisitor&) override {}
  std::string describe() const override;

 private:
  size_t vocab_size_;
};

}  // namespace bitlab
