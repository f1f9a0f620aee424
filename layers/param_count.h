#pragma once
// How many parameters a model has, without giving them memory.
#include <cstddef>
#include <string>

#include "layers/layer.h"

namespace bitlab {

struct ParamCount {
  size_t total = 0;
  size_t ternary = 0;  // latent weights of ternary layers
};

// A parameter that is visited twice (tied) counts once. The net need not be bound.
ParamCount count_params(Layer& net);

// A range of parameter counts: "680M..720M", each end digits with an optional K, M or B.
struct SizeRange {
  double smallest = 0, largest = 0;
};
SizeRange parse_size_range(const std::string& text);  // throws UsageError for anything else

}  // namespace bitlab
