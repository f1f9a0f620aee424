#include "experiments/optimizer.h"

#include <algorithm>
#include <cmath>

#include "core/simd/kernels.h"

namespace bitlab {

namespace {
constexpr size_t kLargestGroup = size_t{1} << 16;  // values one thread takes at a time
}

void OptimConfig::fields(FieldVisitor& v) {
  v.field("name", name, {.help = "optimiser", .choices = {"adamw"}});
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

AdamW::AdamW(const OptimConfig& config, ParamStore& params)
    : config_(config),
      params_(params),
      m_(make_zeros(params.size())),
      v_(make_zeros(params.size())) {
  for (const Param* p : params.params()) {
    const bool decay = config.decay == "all" || p->rows > 1;
    const size_t end = p->offset + p->size();
    for (size_t begin = p->offset; begin < end;) {
      const bool extends = !groups_.empty() && groups_.back().decay == decay &&
                           groups_.back().end - groups_.back().begin < kLargestGroup;
      if (!extends) groups_.push_back({begin, begin, decay});
      Group& group = groups_.back();
      group.end = std::min(end, group.begin + kLargestGroup);
      begin = group.end;
    }
  }
}

void AdamW::step(
    View g, double grad_scale, const StepSettings& settings, std::int64_t step, ThreadTeam& team) {
  const auto t = static_cast<double>(step + 1);
  team.run(groups_.size(), [&](size_t i) {
    const Group& group = groups_[i];
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
