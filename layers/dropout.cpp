#include "layers/dropout.h"

#include "core/base/rng.h"
#include "core/simd/kernels.h"

namespace bitlab {

Dropout::Dropout(double probability, std::string key)
    : probability_(probability), key_(std::move(key)) {}

View Dropout::forward(View x, Pass& pass) const {
  if (!pass.training || probability_ == 0) return x;
  const View y = pass.arena.matrix(x.rows, x.cols);
  apply(x, y, pass);
  return y;
}

// The mask is drawn again rather than kept.
View Dropout::backward(View dy, Pass& pass) const {
  if (probability_ > 0) apply(dy, dy, pass);
  return dy;
}

void Dropout::apply(View x, View y, const Pass& pass) const {
  const bool of_sequences = x.rows != pass.rows();  // one row each
  const std::uint64_t row = of_sequences ? pass.first_row / pass.seq_len : pass.first_row;
  simd::DropoutArgs args;
  args.n = x.size();
  args.x = x.data;
  args.y = y.data;
  args.limit = static_cast<std::uint32_t>(probability_ * 0x1p32);
  args.keep = static_cast<real>(1 / (1 - probability_));
  args.key = Rng(pass.seed, key_).key();
  args.step = pass.step;
  args.first = row * x.cols;
  simd::kernels().dropout(args);
}

std::string Dropout::describe() const { return "Dropout " + std::to_string(probability_); }

}  // namespace bitlab
