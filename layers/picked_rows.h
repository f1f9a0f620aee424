#pragma once
// A head that reads some of the rows.
#include <string>

#include "layers/layer.h"

namespace bitlab {

// y = inner(the rows of x that pass.picked names, in that order), a row each; without it
// y = inner(x). Other rows of x get no gradient.
class PickedRows : public Layer {
 public:
  // share: of the rows that passes name as a rule, for estimates of work.
  PickedRows(LayerPtr inner, double share);

  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string& prefix, const ParamVisitor& visit) override;
  void visit_leaves(const LeafVisitor& visit) override;
  double macs_per_row(size_t seq_len) const override;
  std::string describe() const override;

 private:
  LayerPtr inner_;
  double share_;
};

}  // namespace bitlab
