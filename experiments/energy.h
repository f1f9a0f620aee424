#pragma once
// Energy of the arithmetic in matrix products, by the model of arXiv 2402.17764 (figure 3). For
// y (m x p) = x (m x n) w (n x p):
//   additions        m (n - 1) p e_add
//   multiplications  m n p e_mul;  with ternary weights (m p + m n) e_mul, the rescaling alone
// with 16-bit floats for full-precision weights, and for ternary ones 8-bit integer additions and
// 16-bit rescaling. Attention's own products count as full precision. An estimate of arithmetic
// alone: neither memory traffic, which costs more than arithmetic, nor anything beside the products
// is in it.
#include <array>
#include <vector>

#include "layers/layer.h"

namespace bitlab {

// Picojoules of one operation in one process (Horowitz, ISSCC 2014, for 45 nm; Zhang et al.,
// arXiv 2208.09225, for 7 nm).
struct OperationEnergy {
  const char* process;
  double add_fp16, mul_fp16, add_int8;
};
inline constexpr std::array<OperationEnergy, 2> kOperationEnergy = {
    {{"45 nm", 0.4, 1.1, 0.03}, {"7 nm", 0.16, 0.34, 0.007}}};

// A weight matrix that a token is multiplied by.
struct WeightShape {
  std::size_t in = 0, out = 0;
  bool ternary = false;
};

// Those of a net, whose parameters need not be bound; without a pooler, which reads one token of a
// text.
std::vector<WeightShape> weight_shapes(Layer& net);

// Picojoules of m tokens times one matrix, as it is or as if it were of full precision.
double product_energy(const WeightShape& w, double m, const OperationEnergy& e, bool full);

struct TokenEnergy {
  const char* process;
  double joules = 0;       // of one token of a forward pass, at a full context
  double joules_full = 0;  // the same with full-precision weights everywhere
  // The same of the ternary layers alone: without head and attention's own products.
  double ternary_joules = 0, ternary_joules_full = 0;
};

std::vector<TokenEnergy> token_energy(Layer& net, std::size_t seq_len);

}  // namespace bitlab
