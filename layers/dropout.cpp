#include "layers/dropout.h"

#include "core/base/rng.h"

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
  const Rng rng(pass.seed, key_);
  const auto limit = static_cast<std::uint32_t>(probability_ * 0x1p32);
  const real keep = static_cast<real>(1 / (1 - probability_));
  const bool of_sequences = x.rows != pass.rows();  // one row each
  const std::uint64_t row = of_sequences ? pass.first_row / pass.seq_len : pass.first_row;
  const std::uint64_t first = row * x.cols;
  for (size_t i = 0; i < x.size(); ++i) {
    const std::uint64_t element = first + i;
    const std::uint64_t word = rng.bits(pass.step, element / 2);
    const auto half = static_cast<std::uint32_t>(element % 2 ? word >> 32 : word);
    y.data[i] = half < limit ? real(0) : x.data[i] * keep;
  }
}

std::string Dropout::describe() const { return "Dropout " + std::to_string(probability_); }

}  // namespace bitlab
