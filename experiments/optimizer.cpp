#include "experiments/optimizer.h"

#include <algorithm>
#include <cmath>

#include "core/config/choice.h"
#include "core/simd/kernels.h"

namespace bitlab {

namespace {
constexpr size_t kLargestGroup = size_t{1} << 16;  // values one thread takes at a time
}

void OptimConfig::fields(FieldVisitor& v) {
  choice_field(v, "name", name, settings, optimizers(), "optimiser");
  v.field("lr", lr, {.help = "learning rate at the schedule's peak", .min = 0});
  v.field("beta1", beta1, {.help = "decay of the first moment", .min = 0, .max = 1});
  v.field("beta2", beta2, {.help = "decay of the second moment", .min = 0, .max = 1});
  v.field("eps", eps, {.help = "added to the root of the second moment", .min = 0});
  v.field("weight_decay", weight_decay, {.help = "decoupled weight decay", .min = 0});
  v.field("decay", decay,
          {.help = "what decays: all parameters, or matrices only (no norms, no biases)",
           .choices = {"all", "matrices"}});
  v.field("clip", clip, {.help = "largest global gradient norm, 0 for no limit", .min = 0});
}

namespace {

void register_builtin_optimizers(Registry<OptimizerPlugin>& registry) {
  registry.add("adamw", {1, "Adam with decoupled weight decay, as torch.optim.AdamW", no_settings,
                         [](const OptimConfig& config, ParamStore& params) {
                           return std::make_unique<AdamW>(config, params);
                         }});
}

}  // namespace

Registry<OptimizerPlugin>& optimizers() {
  static Registry<OptimizerPlugin> registry("optimizer", register_builtin_optimizers);
  return registry;
}

std::unique_ptr<Optimizer> make_optimizer(const OptimConfig& config, ParamStore& params) {
  return optimizers().at(config.name).make(config, params);
}

std::vector<ParamGroup> param_groups(const ParamStore& params, const std::string& decay) {
  std::vector<ParamGroup> groups;
  for (const Param* p : params.params()) {
    const bool decays = decay == "all" || p->rows > 1;
    const size_t end = p->offset + p->size();
    for (size_t begin = p->offset; begin < end;) {
      const bool extends = !groups.empty() && groups.back().decay == decays &&
                           groups.back().end - groups.back().begin < kLargestGroup;
      if (!extends) groups.push_back({begin, begin, decays});
      ParamGroup& group = groups.back();
      group.end = std::min(end, group.begin + kLargestGroup);
      begin = group.end;
    }
  }
  return groups;
}

AdamW::AdamW(const OptimConfig& config, ParamStore& params)
    : config_(config),
      params_(params),
      groups_(param_groups(params, config.decay)),
      m_(make_zeros(params.size())),
      v_(make_zeros(params.size())) {}

void AdamW::step(
    View g, double grad_scale, const StepSettings& settings, std::int64_t step, ThreadTeam& team) {
  const auto t = static_cast<double>(step + 1);
  team.run(groups_.size(), [&](size_t i) {
    const ParamGroup& group = groups_[i];
    simd::AdamWArgs args;
    args.n = group.end - group.begin;
    args.w = params_.values().data + group.begin;
    args.m = m_.data() + group.begin;
    args.v = v_.data() + group.begin;
    args.g = g.data + group.begin;
    args.grad_scale = static_cast<real>(grad_scale);
    args.lr = static_cast<real>(settings.lr);
    args.beta1 = static_cast<real>(config_.beta1);
    args.beta2 = static_cast<real>(config_.beta2);
    args.eps = static_cast<real>(config_.eps);
    args.weight_decay = group.decay ? static_cast<real>(settings.weight_decay) : real(0);
    args.correction1 = static_cast<real>(1 - std::pow(config_.beta1, t));
    args.correction2 = static_cast<real>(1 - std::pow(config_.beta2, t));
    simd::kernels().adamw(args);
  });
}

}  // namespace bitlab
