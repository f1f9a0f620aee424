#pragma once
// Norms over the features of each row.
#include <string>

#include "layers/layer.h"

namespace bitlab {

// y = x / sqrt(mean(x^2) + eps) * weight.
class RmsNorm : public Layer {
 public:
  RmsNorm(size_t width, double eps);
  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string& prefix, const ParamVisitor& visit) override;
  std::string describe() const override;

 private:
  double eps_;
  Param weight_;
};

// y = (x - mean) / sqrt(var + eps) * weight + bias.
class LayerNorm : public Layer {
 public:
  LayerNorm(size_t width, double eps);
  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string& prefix, const ParamVisitor& visit) override;
  std::string describe() const override;

 private:
  double eps_;
  Param weight_, bias_;
};

// "rmsnorm" or "layernorm"; throws UsageError for another name.
LayerPtr make_norm(const std::string& name, size_t width, double eps);

}  // namespace bitlab
