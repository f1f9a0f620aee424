#pragma once
// Backward against central differences, in double precision. Tests only.
#include <functional>
#include <string>
#include <vector>

#include "layers/layer.h"
#include "layers/params.h"

namespace bitlab {

// A layer ready to run: bound parameters with random values, a batch, and a random linear
// functional of the output as the loss.
struct GradientProblem {
  static constexpr size_t kBatch = 2, kSeqLen = 5;
  static constexpr std::uint64_t kStep = 3;

  LayerPtr layer;
  ParamStore store;
  Gradients gradients;  // start at kStart, to see that backward adds
  std::vector<real> x;
  std::vector<size_t> begins;  // of sequences of various lengths
  std::vector<std::int32_t> tokens;
  size_t in;
  Pass pass;
  std::vector<real> weight;  // of each output in the loss; made by the first forward
  size_t output_rows = 0;    // of the last forward

  static constexpr real kStart = 0.5;

  GradientProblem(LayerPtr made, size_t in, size_t vocab);

  // Cuts the rows into sequences of these lengths, which sum to kBatch kSeqLen.
  void set_lengths(const std::vector<size_t>& lengths);

  View input() { return {x.data(), kBatch * kSeqLen, in}; }
  void prepare() {
    layer->visit_leaves([](Layer& leaf) { leaf.prepare(kStep); });
  }
  std::vector<real> outputs();  // runs forward
  double loss(const std::vector<real>& y) const;
  std::vector<real> backward();  // forward and backward; the input gradient, empty for tokens
};

struct GradientReport {
  double worst = 0;  // |backward - difference| over the greatest difference of the tensor
  std::string where = "nowhere";
  size_t compared = 0;

  void compare(const std::string& name,
               const std::vector<double>& got,
               const std::vector<double>& want);
};

// Compares the gradients of all parameters and of the input with central differences of `loss`, a
// function of the problem's current parameters and input.
GradientReport check_gradients(GradientProblem& problem, const std::function<double()>& loss);

// The same with the layer's own forward as the function: for layers whose backward is exact.
GradientReport check_gradients(GradientProblem& problem);

}  // namespace bitlab
