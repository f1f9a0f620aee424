#pragma once
// BitLinear by its definition, in plain loops: forward is the quantised product; the function that
// backward must be the derivative of is the surrogate in which quantisers are replaced by the
// identity around the current point:
//   xq(x) = Q(xn0) + (xn(x) - xn0),  wq(w) = Q(w0) + (w - w0),  y = xq wq^T + b, the norm inside
//   exact.
// For checks, in double precision. Built-in weight quantisers are written out here; one of a plugin
// is asked for its codes and scale.
#include <vector>

#include "layers/examples.h"
#include "layers/gradient_check.h"

namespace bitlab {

class Surrogate {
 public:
  using Values = std::vector<double>;

  // At the problem's current point; `problem` must outlive it.
  Surrogate(GradientProblem& problem, const LayerExample& example);

  // rows x out, at the problem's input and parameters of now.
  Values outputs() const;

  size_t clamped() const { return clamped_; }  // weights whose gradient the quantiser stops

 private:
  size_t rows() const { return GradientProblem::kBatch * GradientProblem::kSeqLen; }
  Values normalised() const;
  void quantise_token(size_t r);
  void quantise_weights(View w);

  GradientProblem& problem_;
  LinearShape shape_;
  BitLinearConfig config_;
  double lambda_ = 1;
  const Param *gain_ = nullptr, *shift_ = nullptr;
  std::vector<const Param*> weights_, biases_;
  Values xn0_, xq0_, w0_, wq0_, slope_;
  size_t clamped_ = 0;
};

}  // namespace bitlab
