#pragma once
// Whether two runs are the same, bit by bit.
#include <cstdint>
#include <filesystem>
#include <optional>

namespace bitlab {

struct RunComparison {
  std::optional<double> loss_a, loss_b;     // final validation loss, nats a token
  std::optional<std::int64_t> differ_from;  // the first step with another number in the metrics
  bool weights_compared = false;            // published runs have no checkpoints
  bool same_weights = false;

  bool same_loss() const { return loss_a && loss_b && *loss_a == *loss_b; }
  bool identical() const {
    return same_loss() && !differ_from && (!weights_compared || same_weights);
  }
};

// Compares every logged loss, learning rate and gradient norm, every evaluation, and the bytes of
// the final model.safetensors if both runs have one. Clock times are no part of it. Throws Error if
// metrics cannot be read.
RunComparison compare_runs(const std::filesystem::path& a, const std::filesystem::path& b);

}  // namespace bitlab
