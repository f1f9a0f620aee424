#pragma once
// The position-wise feed-forward part of a block.
#include <string>

#include "layers/layer.h"

namespace bitlab {

enum class Activation { Relu, Gelu };

Activation parse_activation(const std::string& name);  // throws UsageError for another name

// y = w2(act(w1(x))).
class FeedForward : public Layer {
 public:
  FeedForward(LayerPtr w1, Activation activation, LayerPtr w2);

  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string& prefix, const ParamVisitor& visit) override;
  void visit_leaves(const LeafVisitor& visit) override;
  double macs_per_row(size_t seq_len) const override;
  std::string describe() const override;

 private:
  LayerPtr w1_, w2_;
  Activation activation_;
};

}  // namespace bitlab
