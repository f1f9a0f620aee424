#pragma once
// BitLinear: ternary weights, int8 activations, full-precision latent weights behind a
// straight-through estimator (arXiv 2402.17764 and its FAQ).
//   xn = norm(x);  xq = Q_a(xn) per token;  wq = a codes(w) per tensor;  y = xq wq^T + b
// Backward takes both quantisers for the identity:
//   dxn = dy wq;   dw = dy^T xq;   then through the norm.
// With int8 activations and lambda = 1 the forward is an exact integer product, scaled once at the
// end.
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/huge_pages.h"
#include "core/quant/weight_quantizer.h"
#include "layers/bitlinear_config.h"
#include "layers/linear.h"

namespace bitlab {

class BitLinear : public Layer, public Factored {
 public:
  BitLinear(const LinearShape& shape, const BitLinearConfig& config);

  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string& prefix, const ParamVisitor& visit) override;
  void prepare(std::uint64_t step) override;
  void set_step(std::uint64_t step) override;
  std::uint64_t settled_at() const override {
    return static_cast<std::uint64_t>(config_.lambda_warmup_steps);
  }
  double macs_per_row(size_t) const override { return static_cast<double>(in_ * out_); }
  void visit_ternary(const TernaryVisitor& visit) const override;
  size_t buffer_bytes() const override;
  bool fix_ternary(const std::string& name,
                   const std::vector<std::int8_t>& codes,
                   real scale) override;
  std::string describe() const override;
  View factor_input(View x, Pass& pass) const override;
  View factor_weights(Pass& pass) const override { return effective_weights(pass); }

 private:
  View normalise(View x, Pass& pass) const;
  View backward_through_norm(View dxn, Pass& pass) const;
  View forward_integer(View xn, Pass& pass) const;
  View forward_float(View xn, Pass& pass) const;
  View effective_activations(View xn, Pass& pass) const;
  void add_weight_gradient(View dy, View xq, Pass& pass) const;
  void allocate();
  void quantise_part(size_t part, size_t at);
  void keep_packed_alone();
  bool packed_alone() const { return packed_ && !codes_; }
  void effective_part(size_t part, const std::int8_t* codes, real* out) const;
  View effective_weights(Pass& pass) const;
  size_t code_stride() const { return (in_ + 63) / 64 * 64; }

  size_t in_, out_;
  BitLinearConfig config_;
  bool centred_;  // the norm inside subtracts the mean
  WeightQuantizer quantizer_;
  LinearParams params_;
  Param norm_gain_, norm_shift_;  // no columns: none

  // Prepared once a step from the latent weights; the two of a weight's size are made by the first
  // prepare(), so that a model which is only looked at takes no memory for them. The effective
  // weights are four times as large: whoever multiplies by them expands them (effective_weights),
  // which takes little against a product, and gives them back. Once all parts are fixed the packed
  // codes alone are kept, 2 bits a weight, and the others are unpacked where they are asked for.
  real lambda_ = 1;    // share of quantisation in the effective weights and activations
  HugeBuffer memory_;  // of the next two
  std::uint8_t* packed_ = nullptr;  // codes in the kernel's layout
  std::int8_t* codes_ = nullptr;    // out x in; null if they are packed alone
  std::vector<real> scales_;        // one a part
  std::vector<real> limits_;        // one a part: latent weights beyond are clamped
  std::vector<bool> fixed_;         // parts whose codes and scale no longer follow latent weights
  std::vector<real> column_scale_;  // out: the scale of each output's part
};

}  // namespace bitlab
