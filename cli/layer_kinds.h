#pragma once
// Which linear layers of the arms are ternary, for the page that a run begins with.
#include <string>

#include "experiments/plan.h"

namespace bitlab {

// A few lines an arm that has ternary layers: which they are, which others stay as they are, and
// their share of all parameters. Blocks that are alike are one: "blocks.*.attn.wq". Arms with the
// same lines share them.
std::string layer_kinds_page(const Experiment& experiment, std::size_t vocab_size);

}  // namespace bitlab
