#include "layers/layer_check.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>

#include "layers/bitlinear.h"
#include "layers/models/registry.h"
#include "layers/norms.h"
#include "layers/surrogate.h"

namespace bitlab {

static_assert(sizeof(real) == 8, "central differences need the double build");

namespace {

using Outcome = LayerCheck::Outcome;

constexpr double kTolerance = 1e-6;  // of backward, relative to the tensor's largest slope
constexpr double kForwardTolerance = 1e-10;
constexpr size_t kMostParams = 5000;  // each costs two forward passes
const Init kNormal{Init::Kind::Normal, 0.5};

LayerCheck judged(const GradientReport& report) {
  char worst[32];
  std::snprintf(worst, sizeof worst, "%.1e", report.worst);
  const bool right = report.worst < kTolerance && report.compared > 0;
  return {"", "", right ? Outcome::Right : Outcome::Wrong,
          std::string("worst difference ") + worst + (right ? "" : " at " + report.where)};
}

// Runs a check under its name; what it throws is its result.
LayerCheck run(const std::string& kind,
               const std::string& name,
               const std::function<LayerCheck()>& check) {
  LayerCheck result;
  try {
    result = check();
  } catch (const std::exception& e) {
    result = {"", "", Outcome::Wrong, e.what()};
  }
  result.kind = kind;
  result.name = name;
  return result;
}

LayerCheck check_exact(LayerPtr layer, size_t in, size_t vocab) {
  GradientProblem problem(std::move(layer), in, vocab);
  problem.prepare();
  if (problem.store.size() > kMostParams)
    return {"", "", Outcome::NotCompared,
            std::to_string(problem.store.size()) + " parameters at its default settings, at most " +
                std::to_string(kMostParams) + " are compared"};
  return judged(check_gradients(problem));
}

LayerCheck check_straight_through(const LayerExample& example) {
  GradientProblem problem(example.make(), example.in, example.vocab);
  problem.prepare();
  const std::vector<real> y = problem.outputs();
  const Surrogate surrogate(problem, example);
  const Surrogate::Values want = surrogate.outputs();
  for (size_t i = 0; i < y.size(); ++i)
    if (!(std::fabs(y[i] - want[i]) <= kForwardTolerance * (1 + std::fabs(want[i]))))
      return {"", "", Outcome::Wrong,
              "forward gives " + std::to_string(y[i]) + " where its definition gives " +
                  std::to_string(want[i])};
  return judged(check_gradients(problem, [&] {
    const Surrogate::Values out = surrogate.outputs();
    return problem.loss({out.begin(), out.end()});
  }));
}

LayerCheck check_example(const LayerExample& example) {
  if (example.kind == LayerExample::Kind::StraightThrough) return check_straight_through(example);
  if (example.kind == LayerExample::Kind::Exact)
    return check_exact(example.make(), example.in, example.vocab);
  GradientProblem problem(example.make(), example.in, example.vocab);
  problem.prepare();
  return judged(check_gradients(problem, [&] { return problem.loss(problem.outputs()); }));
}

// What every weight quantiser must keep to. Empty if it does.
std::string broken_contract(const WeightQuantizer& quantizer) {
  constexpr double kEps = 1e-5;
  for (const double size : {1.0, 1e-3, 0.0}) {
    std::vector<real> w(60);
    for (size_t i = 0; i < w.size(); ++i) w[i] = size * std::sin(double(1 + i * i));
    const View view{w.data(), 5, 12};
    std::vector<std::int8_t> codes(w.size(), 9), again(w.size(), 9);
    const real scale = quantizer.quantize(view, kEps, codes.data());
    if (!(scale >= real(kEps))) return "the scale must be at least eps";
    if (std::any_of(codes.begin(), codes.end(), [](int c) { return c < -1 || c > 1; }))
      return "codes must be -1, 0 or 1";
    if (quantizer.quantize(view, kEps, again.data()) != scale || again != codes)
      return "the same weights must give the same codes and scale again";
    for (size_t i = 0; i < w.size(); ++i) w[i] = scale * codes[i];
    quantizer.quantize(view, 0, again.data());
    if (again != codes) return "quantised weights must give the same codes again";
    w[7] = std::numeric_limits<real>::quiet_NaN();
    if (!std::isnan(quantizer.quantize(view, kEps, codes.data())))
      return "a NaN weight must make the scale NaN, so that it stays visible";
  }
  return "";
}

LayerCheck check_quantizer(const std::string& name) {
  const std::string broken = broken_contract(weight_quantizers().at(name));
  if (!broken.empty()) return {"", "", Outcome::Wrong, broken};
  LayerCheck worst;
  for (const char* straight_through : {"identity", "clipped"})
    for (const std::int64_t warmup : {0, 10}) {
      LayerExample example;
      example.in = 10;
      example.shape = {"qkv", 10, {{"wq", 4}, {"wk", 3}}, true, kNormal};
      example.config.weight_quant = name;
      example.config.straight_through = straight_through;
      example.config.lambda_warmup_steps = warmup;
      example.make = [&] { return std::make_unique<BitLinear>(example.shape, example.config); };
      worst = check_straight_through(example);
      if (worst.outcome != Outcome::Right) {
        worst.detail +=
            std::string(", straight_through ") + straight_through + (warmup ? ", fading in" : "");
        return worst;
      }
    }
  return worst;
}

LayerCheck check_linear(const LinearPlugin& plugin) {
  if (plugin.straight_through)
    return {"", "", Outcome::NotCompared, "straight-through by its own word"};
  const LinearShape shape{"x", 6, {{"a", 4}, {"b", 3}}, true, kNormal};
  return check_exact(plugin.make(shape, *plugin.make_config()), shape.in, 0);
}

template <class Entry>
void check_plugins(std::vector<LayerCheck>& all,
                   const Registry<Entry>& registry,
                   const std::function<LayerCheck(const std::string&, const Entry&)>& check) {
  for (const EntryInfo& entry : registry.list())
    if (!entry.origin.built_in())
      all.push_back(run(registry.kind(), entry.name,
                        [&] { return check(entry.name, registry.at(entry.name)); }));
}

}  // namespace

std::vector<LayerCheck> check_layers() {
  std::vector<LayerCheck> all;
  for (const LayerExample& example : layer_examples())
    all.push_back(run("layer", example.name, [&] { return check_example(example); }));
  check_plugins<LinearPlugin>(all, linear_layers(), [](const std::string&, const LinearPlugin& p) {
    return check_linear(p);
  });
  check_plugins<NormPlugin>(all, norm_layers(), [](const std::string&, const NormPlugin& p) {
    return check_exact(p.make(6, 1e-5, *p.make_config()), 6, 0);
  });
  check_plugins<ModelPlugin>(all, models(), [](const std::string&, const ModelPlugin& p) {
    return check_exact(p.build(*p.make_config(), 7), 0, 7);
  });
  check_plugins<WeightQuantizer>(
      all, weight_quantizers(),
      [](const std::string& name, const WeightQuantizer&) { return check_quantizer(name); });
  return all;
}

}  // namespace bitlab
