#pragma once
// Layers made of layers. Their backward is generic: a block composed of these needs no calculus.
#include <string>
#include <utility>
#include <vector>

#include "layers/layer.h"

namespace bitlab {

// y = last(...(first(x))). A child's name prefixes its parameters; an empty name adds nothing.
class Sequential : public Layer {
 public:
  void add(const std::string& name, LayerPtr layer);
  size_t size() const { return children_.size(); }

  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string& prefix, const ParamVisitor& visit) override;
  void visit_leaves(const LeafVisitor& visit) override;
  void visit_caches(const CacheVisitor& visit) const override;
  double macs_per_row(size_t seq_len) const override;
  std::string describe() const override;

 private:
  std::vector<std::pair<std::string, LayerPtr>> children_;
};

// y = x + inner(x).
class Residual : public Layer {
 public:
  explicit Residual(LayerPtr inner);

  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string& prefix, const ParamVisitor& visit) override;
  void visit_leaves(const LeafVisitor& visit) override;
  void visit_caches(const CacheVisitor& visit) const override;
  double macs_per_row(size_t seq_len) const override;
  std::string describe() const override;

 private:
  LayerPtr inner_;
};

// y = x, or its rows of each sequence's last position if the pass wants logits of those only: what
// comes before a model's last norm and head.
class LastPosition : public Layer {
 public:
  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass&) const override { return dy; }
  void visit_params(const std::string&, const ParamVisitor&) override {}
  std::string describe() const override { return "LastPosition"; }
};

// y = first(x) | ... | last(x): several layers that read the same input, their outputs side by
// side.
class SideBySide : public Layer {
 public:
  explicit SideBySide(std::vector<LayerPtr> children);

  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string& prefix, const ParamVisitor& visit) override;
  void visit_leaves(const LeafVisitor& visit) override;
  double macs_per_row(size_t seq_len) const override;
  std::string describe() const override;

 private:
  std::vector<LayerPtr> children_;
};

}  // namespace bitlab
