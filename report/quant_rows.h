#pragma once
// The /quant rows of runs: what became of each ternary matrix. They are many, so they are read for
// a figure only.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/io/metrics.h"
#include "report/results.h"

namespace bitlab {

// In the order of the file; empty if the run has not written any. Throws Error if the file is
// damaged.
std::vector<QuantRow> load_quant(const SeedResult& run);

// Where a matrix is in its network: "blocks.2.attn.wq.weight" is of block 2 and the kind "attn.wq".
struct LayerPlace {
  std::string kind;
  std::optional<std::int64_t> block;
};
LayerPlace layer_place(const std::string& parameter);

}  // namespace bitlab
