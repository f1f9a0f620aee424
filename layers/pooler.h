#pragma once
// One vector for a whole text.
#include <string>

#include "layers/layer.h"

namespace bitlab {

enum class PoolerActivation { Tanh, Relu };

// y[b] = act(dense(x[first row of sequence b])): what BERT (tanh) and DistilBERT (ReLU) make of the
// position of [CLS]. B x in of dense -> B x out; other rows of x get no gradient.
class Pooler : public Layer {
 public:
  Pooler(LayerPtr dense, PoolerActivation activation);

  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string& prefix, const ParamVisitor& visit) override;
  void visit_leaves(const LeafVisitor& visit) override;
  double macs_per_row(size_t seq_len) const override;
  std::string describe() const override;

 private:
  LayerPtr dense_;
  PoolerActivation activation_;
};

}  // namespace bitlab
