#include "layers/norms.h"

#include "core/base/error.h"
#include "core/ops/norm.h"
#include "layers/params.h"

namespace bitlab {

RmsNorm::RmsNorm(size_t width, double eps) : eps_(eps) {
  weight_.name = "weight";
  weight_.cols = width;
  weight_.init.kind = Init::Kind::Ones;
}

View RmsNorm::forward(View x, Pass& pass) const {
  const View y = pass.arena.matrix(x.rows, x.cols);
  const View rstd = pass.arena.matrix(1, x.rows);
  rmsnorm_forward(x, weight_.value, eps_, y, rstd);
  pass.saved.push(x);
  pass.saved.push(rstd);
  return y;
}

View RmsNorm::backward(View dy, Pass& pass) const {
  const View rstd = pass.saved.pop();
  const View x = pass.saved.pop();
  rmsnorm_backward(dy, x, weight_.value, rstd, dy, pass.gradients->of(weight_));
  return dy;
}

void RmsNorm::visit_params(const std::string& prefix, const ParamVisitor& visit) {
  visit(prefix, weight_);
}

std::string RmsNorm::describe() const { return "RMSNorm " + std::to_string(weight_.cols); }

LayerNorm::LayerNorm(size_t width, double eps, bool bias) : eps_(eps) {
  weight_.name = "weight";
  weight_.cols = width;
  weight_.init.kind = Init::Kind::Ones;
  bias_.name = "bias";
  bias_.cols = bias ? width : 0;
}

View LayerNorm::forward(View x, Pass& pass) const {
  const View y = pass.arena.matrix(x.rows, x.cols);
  const View mean = pass.arena.matrix(1, x.rows);
  const View rstd = pass.arena.matrix(1, x.rows);
  layernorm_forward(x, weight_.value, bias_.value, eps_, y, mean, rstd);
  pass.saved.push(x);
  pass.saved.push(mean);
  pass.saved.push(rstd);
  return y;
}

View LayerNorm::backward(View dy, Pass& pass) const {
  const View rstd = pass.saved.pop();
  const View mean = pass.saved.pop();
  const View x = pass.saved.pop();
  layernorm_backward(dy, x, weight_.value, mean, rstd, dy, pass.gradients->of(weight_),
                     bias_.cols ? pass.gradients->of(bias_) : View{});
  return dy;
}

void LayerNorm::visit_params(const std::string& prefix, const ParamVisitor& visit) {
  visit(prefix, weight_);
  if (bias_.cols) visit(prefix, bias_);
}

std::string LayerNorm::describe() const {
  return "LayerNorm " + std::to_string(weight_.cols) + (bias_.cols ? "" : " without bias");
}

Centering::Centering(size_t width) {
  weight_.name = "weight";
  weight_.cols = width;
  weight_.init.kind = Init::Kind::Ones;
}

View Centering::forward(View x, Pass& pass) const {
  const View y = pass.arena.matrix(x.rows, x.cols);
  centering_forward(x, weight_.value, y);
  pass.saved.push(x);
  return y;
}

View Centering::backward(View dy, Pass& pass) const {
  const View x = pass.saved.pop();
  centering_backward(dy, x, weight_.value, dy, pass.gradients->of(weight_));
  return dy;
}

void Centering::visit_params(const std::string& prefix, const ParamVisitor& visit) {
  visit(prefix, weight_);
}

std::string Centering::describe() const { return "Centering " + std::to_string(weight_.cols); }

namespace {

template <class Norm>
LayerPtr make_norm(size_t width, double eps, const Configurable&) {
  return std::make_unique<Norm>(width, eps);
}

void register_builtin_norms(Registry<NormPlugin>& registry) {
  registry.add("rmsnorm",
               {1, "x / root of mean x^2, with a gain", no_settings, make_norm<RmsNorm>});
  registry.add("layernorm", {1, "mean 0, variance 1, with a gain and a shift", no_settings,
                             make_norm<LayerNorm>});
  registry.add("layernorm_nobias", {1, "mean 0, variance 1, with a gain", no_settings,
                                    [](size_t width, double eps, const Configurable&) -> LayerPtr {
                                      return std::make_unique<LayerNorm>(width, eps, false);
                                    }});
  registry.add("centering", {1, "mean 0, with a gain", no_settings,
                             [](size_t width, double, const Configurable&) -> LayerPtr {
                               return std::make_unique<Centering>(width);
                             }});
}

}  // namespace

Registry<NormPlugin>& norm_layers() {
  static Registry<NormPlugin> registry("norm", register_builtin_norms);
  return registry;
}

}  // namespace bitlab
