#pragma once
// Activation checkpointing (Chen et al. 2016, arXiv 1604.06174): memory for time.
#include <string>

#include "layers/layer.h"

namespace bitlab {

// y = inner(x). Forward keeps x alone; backward runs inner's forward again, with the same random
// draws, and then its backward. So a net of such blocks holds the insides of one of them at a time,
// and a training step costs one more forward of them. Losses and gradients are the same bits as
// without it.
class Recompute : public Layer {
 public:
  explicit Recompute(LayerPtr inner) : inner_(std::move(inner)) {}

  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string& prefix, const ParamVisitor& visit) override {
    inner_->visit_params(prefix, visit);
  }
  void visit_leaves(const LeafVisitor& visit) override { inner_->visit_leaves(visit); }
  void visit_caches(const CacheVisitor& visit) const override { inner_->visit_caches(visit); }
  double macs_per_row(size_t seq_len) const override { return inner_->macs_per_row(seq_len); }
  std::string describe() const override { return inner_->describe() + ", recomputed"; }

 private:
  LayerPtr inner_;
};

}  // namespace bitlab
