#pragma once
// What a sweep says: arms at their best points, and at equal ones.
#include <string>
#include <vector>

#include "report/results.h"

namespace bitlab {

bool is_sweep(const Results& results);

// The arms of the file, each with its sweep points, in the order of the plan.
struct SweptArm {
  std::string name;
  std::vector<const ArmResult*> points;
};
std::vector<SweptArm> swept_arms(const Results& results);

// A line an arm of the file with its best point; then, against the baseline, the comparison of best
// points, and how many of the points that both have differ by more than chance. Each line ends with
// a newline.
std::string sweep_verdict(const Results& results);

}  // namespace bitlab
