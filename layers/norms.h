#pragma once
// Norms over the features of each row.
#include <functional>
#include <string>

#include "core/base/registry.h"
#include "core/config/fields.h"
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

// y = (x - mean) / sqrt(var + eps) * weight + bias, or without the bias.
class LayerNorm : public Layer {
 public:
  LayerNorm(size_t width, double eps, bool bias = true);
  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string& prefix, const ParamVisitor& visit) override;
  std::string describe() const override;

 private:
  double eps_;
  Param weight_, bias_;  // bias without columns: none
};

// y = (x - mean) * weight, as kevbuh/bitnet's sub-layer norms: no division, so no eps.
class Centering : public Layer {
 public:
  explicit Centering(size_t width);
  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string& prefix, const ParamVisitor& visit) override;
  std::string describe() const override;

 private:
  Param weight_;
};

// The plugin point `norm`: what models put before their parts.
struct NormPlugin {
  int version = 1;  // enters the run id: raise it when results change
  std::string description = {};
  MakeConfig make_config = no_settings;
  std::function<LayerPtr(size_t width, double eps, const Configurable& config)> make = {};
};

//   rmsnorm, layernorm, layernorm_nobias, centering
Registry<NormPlugin>& norm_layers();

}  // namespace bitlab
