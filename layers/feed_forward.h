#pragma once
// The position-wise feed-forward part of a block.
#include <string>

#include "layers/activation.h"
#include "layers/layer.h"

namespace bitlab {

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

enum class Gate { Swiglu, Relu2 };

// y = w_down(act(gate) up) with gate | up = gate_up(x).
class GatedFeedForward : public Layer {
 public:
  GatedFeedForward(LayerPtr gate_up, Gate gate, LayerPtr w_down);

  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string& prefix, const ParamVisitor& visit) override;
  void visit_leaves(const LeafVisitor& visit) override;
  double macs_per_row(size_t seq_len) const override;
  std::string describe() const override;

 private:
  LayerPtr gate_up_, w_down_;
  Gate gate_;
};

}  // namespace bitlab
