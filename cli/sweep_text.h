#pragma once
// What a sweep varies, in one line.
#include <string>
#include <vector>

#include "experiments/plan.h"

namespace bitlab {

// "optim.lr 0.0003 .. 0.03 (8 values); model.bitlinear.norm none, rmsnorm": the values that the
// points have, in the order in which they appear. Empty without a sweep.
std::string sweep_text(const std::vector<std::vector<AxisValue>>& points);

// Of Experiment::arms or Plan::arms.
template <class Arms>
std::string sweep_text_of(const Arms& arms) {
  std::vector<std::vector<AxisValue>> points;
  for (const auto& arm : arms) points.push_back(arm.axes);
  return sweep_text(points);
}

}  // namespace bitlab
