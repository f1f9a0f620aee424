#pragma once
// What is wrong with a config, shown the way compilers do.
#include <string>
#include <vector>

#include "core/config/settings.h"

namespace bitlab {

struct Problem {
  Origin origin;
  std::string message;
  std::string hint;
};

// All problems in the order of their places, each as
//   configs/x.toml:7:1: unknown key 'optim.learning_rat'
//       7 | learning_rat = 1e-3
//         | ^^^^^^^^^^^^
//       did you mean 'optim.lr'?
std::string format_problems(std::vector<Problem> problems);

// The nearest of `candidates` to `word` by edit distance, or the one that `word` is a usual other name for; empty if
// nothing is near. Both are dotted paths.
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace bitlab
