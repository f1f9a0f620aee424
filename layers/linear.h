#pragma once
// Linear layers: the plugin point `linear`. What the models ask for is a LinearShape; what they get
// depends on the name in the config ("full", "bitlinear", or a plugin's).
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/registry.h"
#include "core/config/fields.h"
#include "layers/layer.h"

namespace bitlab {

// y = x w^T + b for one input and one or several weight matrices side by side: attention's wq, wk,
// wv are one product, but stay tensors of their own, each with its own name and quantisation scale.
struct LinearShape {
  struct Part {
    std::string name;  // parameters are NAME.weight (out x in) and NAME.bias (1 x out)
    size_t out = 0;
  };
  std::string name;  // of what the parts share: a norm inside is NAME.norm.weight
  size_t in = 0;
  std::vector<Part> parts;
  bool bias = false;
  Init init;  // of the weights; biases start at 0

  size_t out() const;
};

struct LinearPlugin {
  int version = 1;  // enters the run id: raise it when results change
  std::string description = {};
  MakeConfig make_config = no_settings;
  std::function<LayerPtr(const LinearShape& shape, const Configurable& config)> make = {};
  // Backward is meant to be something else than the derivative of forward at the default settings,
  // so the gradient check does not compare them.
  bool straight_through = false;
};

Registry<LinearPlugin>& linear_layers();

// The parameters of a LinearShape, weights first, one after the other: after binding the parts'
// weights are one out() x in matrix in memory, their biases one 1 x out() row.
class LinearParams {
 public:
  LinearParams(const LinearShape& shape, bool ternary);
  void visit(const std::string& prefix, const ParamVisitor& visit);

  size_t parts() const { return weights_.size(); }
  const Param& weight(size_t part) const { return weights_[part]; }
  View weights() const { return {weights_[0].value.data, out_, in_}; }
  View biases() const;  // without memory if there are none
  View weight_gradients(Gradients& g) const;
  View bias_gradients(Gradients& g) const;  // only if there are biases

 private:
  size_t in_, out_;
  std::vector<Param> weights_, biases_;
};

// What a linear layer without biases multiplies, y = input w^T: for a neighbour that absorbs its
// weights.
class Factored {
 public:
  virtual ~Factored() = default;
  virtual View factor_input(View x, Pass& pass) const = 0;  // rows x in
  virtual View factor_weights(Pass& pass) const = 0;        // out x in
};

// Full precision.
class Linear : public Layer, public Factored {
 public:
  explicit Linear(const LinearShape& shape);

  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string& prefix, const ParamVisitor& visit) override;
  double macs_per_row(size_t) const override { return static_cast<double>(in_ * out_); }
  std::string describe() const override;
  View factor_input(View x, Pass&) const override { return x; }
  View factor_weights(Pass&) const override { return params_.weights(); }

 private:
  size_t in_, out_;
  LinearParams params_;
};

// A language model's head that reads the token embedding: y = x e^T + b, e: V x C.
class TiedHead : public Layer {
 public:
  TiedHead(Param& embedding, bool bias);

  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string& prefix, const ParamVisitor& visit) override;
  double macs_per_row(size_t) const override { return static_cast<double>(embedding_.size()); }
  std::string describe() const override;

 private:
  Param& embedding_;
  Param bias_;  // no columns: none
};

}  // namespace bitlab
