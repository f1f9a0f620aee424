#pragma once
// The gradient check over everything that is registered, for `bitlab check --layers`. In double
// precision.
#include <string>
#include <vector>

namespace bitlab {

struct LayerCheck {
  enum class Outcome { Right, Wrong, NotCompared };
  std::string kind;  // "layer", or the kind of a registry
  std::string name;
  Outcome outcome = Outcome::Right;
  std::string detail;  // the worst difference and where it is, or why nothing was compared
};

// Every example of bitlab's own layers (layers/examples.h), and everything that plugins registered:
// linear layers, norms and models against central differences of their forward; weight quantisers
// by their contract and inside BitLinear, against its surrogate (layers/surrogate.h).
std::vector<LayerCheck> check_layers();

}  // namespace bitlab
