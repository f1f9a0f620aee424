#pragma once
// What to do with a gradient.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/thread_team.h"
#include "core/config/fields.h"
#include "experiments/schedule.h"
#include "layers/params.h"

namespace bitlab {

struct OptimConfig : Configurable {
  std::string name = "adamw";
  double lr = 1e-3;  // the schedule's peak
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;
  std::string decay = "all";  // all: every parameter; matrices: no norms, no biases
  double clip = 0;            // largest global gradient norm, 0 for no limit

  void fields(FieldVisitor& v) override;
};

// AdamW (Loshchilov & Hutter 2019), the update of torch.optim.AdamW: decoupled decay, eps outside
// the root.
//   m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
//   w = w (1 - lr decay) - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
class AdamW {
 public:
  AdamW(const OptimConfig& config, ParamStore& params);

  // One update with the flat gradient g (1 x size), scaled by grad_scale; t = step + 1.
  void step(
      View g, double grad_scale, const StepSettings& settings, std::int64_t step, ThreadTeam& team);

  View first_moment() { return view(m_); }
  View second_moment() { return view(v_); }

 private:
  struct Group {
    size_t begin, end;
    bool decay;
  };  // a run of the flat buffer, cut to share among threads

  OptimConfig config_;
  ParamStore& params_;
  std::vector<Group> groups_;
  Tensor<1> m_, v_;
};

}  // namespace bitlab
