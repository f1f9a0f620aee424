#pragma once
// A linear layer that throws its weights away: the negative control of ternary training.
#include <cstdint>
#include <string>
#include <vector>

#include "core/quant/weight_quantizer.h"
#include "layers/linear.h"

namespace bitlab {

struct InPlaceTernaryConfig : Configurable {
  double eps = 1e-5;  // added to mean |w|

  void fields(FieldVisitor& v) override;
};

// y = x w^T + b with w <- clamp(rne(w / (mean|w| + eps)), -1, 1) written over the weights before
// every step, as kevbuh/bitnet did in March 2024: no latent weights, no scale, no quantised
// activations. The gradient is that of the ternary point. An optimiser's step is far smaller than
// the half unit that rounding takes away again, so the codes never change.
class InPlaceTernary : public Layer {
 public:
  InPlaceTernary(const LinearShape& shape, const InPlaceTernaryConfig& config);

  View forward(View x, Pass& pass) const override { return linear_.forward(x, pass); }
  View backward(View dy, Pass& pass) const override { return linear_.backward(dy, pass); }
  void visit_params(const std::string& prefix, const ParamVisitor& visit) override;
  void prepare(std::uint64_t step) override;
  double macs_per_row(size_t seq_len) const override { return linear_.macs_per_row(seq_len); }
  void visit_ternary(const TernaryVisitor& visit) const override;
  size_t buffer_bytes() const override;
  bool fix_ternary(const std::string& name,
                   const std::vector<std::int8_t>& codes,
                   real scale) override;
  std::string describe() const override;

 private:
  Linear linear_;
  double eps_;
  std::vector<Param*> weights_;                  // of linear_, one a part
  std::vector<std::vector<std::int8_t>> codes_;  // of each, as prepared
};

}  // namespace bitlab
