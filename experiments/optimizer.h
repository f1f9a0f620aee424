#pragma once
// What to do with a gradient: the plugin point `optimizer`.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/registry.h"
#include "core/base/thread_team.h"
#include "core/config/fields.h"
#include "experiments/schedule.h"
#include "layers/params.h"

namespace bitlab {

struct OptimConfig : Configurable {
  std::string name = "adamw";
  std::shared_ptr<Configurable> settings;  // the optimiser's own, in the table optim.NAME
  double lr = 1e-3;                        // the schedule's peak
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;
  std::string decay = "all";  // all: every parameter; matrices: no norms, no biases
  double clip = 0;            // largest global gradient norm, 0 for no limit

  void fields(FieldVisitor& v) override;
};

// One optimiser of one run, with its state.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // One update of the parameters with the flat gradient g (1 x size, in the order of the store),
  // scaled by grad_scale. `step` counts from 0. The result must not depend on the team's size.
  virtual void step(View g,
                    double grad_scale,
                    const StepSettings& settings,
                    std::int64_t step,
                    ThreadTeam& team) = 0;

  // What a checkpoint keeps, by unique names ("adamw.m"). Views of the optimiser's own memory,
  // which loading a checkpoint fills: all that step() needs beside its arguments must be here.
  struct State {
    std::string name;
    View values;
  };
  virtual std::vector<State> state() = 0;
};

struct OptimizerPlugin {
  int version = 1;  // enters the run id: raise it when results change
  std::string description = {};
  MakeConfig make_config = no_settings;
  // params outlives the optimiser. config.settings are those that make_config made.
  std::function<std::unique_ptr<Optimizer>(const OptimConfig& config, ParamStore& params)> make =
      {};
  std::size_t state_per_param = 2;  // floats, for estimates of memory
};

//   adamw
Registry<OptimizerPlugin>& optimizers();

std::unique_ptr<Optimizer> make_optimizer(const OptimConfig& config, ParamStore& params);

// A stretch of the flat buffer for one thread to update; weight decay applies to all of it or to
// none. Cut the same way for every number of threads.
struct ParamGroup {
  size_t begin, end;
  bool decay;
};

// The whole buffer in stretches, by OptimConfig::decay.
std::vector<ParamGroup> param_groups(const ParamStore& params, const std::string& decay);

// AdamW (Loshchilov & Hutter 2019), the update of torch.optim.AdamW: decoupled decay, eps outside
// the root.
//   m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
//   w = w (1 - lr decay) - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps),  t = step + 1
class AdamW : public Optimizer {
 public:
  AdamW(const OptimConfig& config, ParamStore& params);

  void step(View g,
            double grad_scale,
            const StepSettings& settings,
            std::int64_t step,
            ThreadTeam& team) override;
  std::vector<State> state() override { return {{"adamw.m", view(m_)}, {"adamw.v", view(v_)}}; }

 private:
  OptimConfig config_;
  ParamStore& params_;
  std::vector<ParamGroup> groups_;
  Tensor<1> m_, v_;
};

}  // namespace bitlab
