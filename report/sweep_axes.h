#pragma once
// What a sweep varies, seen over all its arms.
#include <cstddef>
#include <string>
#include <vector>

#include "report/results.h"

namespace bitlab {

// A setting with at least two values among the arms.
struct SweepAxis {
  std::string path;                // "optim.lr"
  std::string name;                // its last part, "lr", if no other axis ends so, else the path
  bool numeric = false;            // all values are numbers
  std::vector<SweptValue> values;  // distinct; numbers ascending, others in the plan's order

  bool log() const;  // whether a logarithmic scale suits: above 0, and a factor of 8 or more
  // The place of an arm's value among `values`; values.size() if the arm has none.
  std::size_t index(const ArmResult& arm) const;
};

// In the order of the plan. Of axes that move together (Results::zipped) one stands for all: one of
// those that are `named`, by path or last part, else the first of those with the most values.
std::vector<SweepAxis> sweep_axes(const Results& results,
                                  const std::vector<std::string>& named = {});

// The axis of that path or name. Throws UsageError, with what was probably meant, if there is none.
const SweepAxis& find_axis(const std::vector<SweepAxis>& axes, const std::string& name);

bool same_point(const ArmResult& a, const ArmResult& b);     // all swept settings are equal
std::string base_of(const ArmResult& arm);                   // the arm of the file
std::vector<std::string> base_arms(const Results& results);  // each once, in the plan's order
std::string value_text(const std::string& value);            // for labels: "3e-4", "absmean"

// Whether the arms fill at least half of the grid of these two axes.
bool fills_grid(const Results& results, const SweepAxis& a, const SweepAxis& b);

}  // namespace bitlab
