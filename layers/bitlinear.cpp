#include "layers/bitlinear.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/ops/elementwise.h"
#include "core/ops/norm.h"
#include "core/simd/kernels.h"
#include "core/tensor/gemm.h"
#include "layers/params.h"

namespace bitlab {

using simd::kernels;

namespace {

Param vector_param(const std::string& name, size_t cols, Init::Kind init) {
  Param p;
  p.name = name;
  p.cols = cols;
  p.init.kind = init;
  return p;
}

// Quantised activations of a pass: codes (rows x stride int8, kept in reals) and the step of each
// row.
struct Int8Rows {
  View storage;  // rows x stride / sizeof(real)
  View step;     // 1 x rows
  std::int8_t* codes() const { return reinterpret_cast<std::int8_t*>(storage.data); }
};

}  // namespace

BitLinear::BitLinear(const LinearShape& shape, const BitLinearConfig& config)
    : in_(shape.in),
      out_(shape.out()),
      config_(config),
      centred_(config.norm == "layernorm" || config.norm == "layernorm_nobias"),
      quantizer_(configured_quantizer(config.weight_quant, config.weight_quant_settings.get())),
      params_(shape, true),
      scales_(shape.parts.size()),
      limits_(shape.parts.size()),
      fixed_(shape.parts.size(), false) {
  if (config.norm != "none")
    norm_gain_ = vector_param(shape.name + ".norm.weight", in_, Init::Kind::Ones);
  if (config.norm == "layernorm")
    norm_shift_ = vector_param(shape.name + ".norm.bias", in_, Init::Kind::Zeros);
}

// Not before it is needed: a model may be built only to count its parameters.
void BitLinear::allocate() {
  if (packed_) return;
  column_scale_.resize(out_);
  const size_t packed = kernels().ternary_packed_size(out_, in_);
  memory_ = HugeBuffer(packed + in_ * out_);
  packed_ = reinterpret_cast<std::uint8_t*>(memory_.data());
  codes_ = reinterpret_cast<std::int8_t*>(packed_ + packed);
}

void BitLinear::keep_packed_alone() {
  HugeBuffer packed(kernels().ternary_packed_size(out_, in_));
  packed_ = reinterpret_cast<std::uint8_t*>(packed.data());
  kernels().ternary_pack(out_, in_, codes_, packed_);
  give_back_pages(codes_, in_ * out_);  // whatever malloc does with what is freed
  codes_ = nullptr;
  memory_ = std::move(packed);
}

void BitLinear::set_step(std::uint64_t step) {
  const auto warmup = static_cast<double>(config_.lambda_warmup_steps);
  lambda_ =
      warmup > 0 ? static_cast<real>(std::min(static_cast<double>(step) / warmup, 1.0)) : real(1);
}

void BitLinear::prepare(std::uint64_t step) {
  allocate();
  set_step(step);
  size_t at = 0, column = 0;
  for (size_t part = 0; part < params_.parts(); ++part) {
    const Param& w = params_.weight(part);
    quantise_part(part, at);
    std::fill_n(column_scale_.begin() + static_cast<std::ptrdiff_t>(column), w.rows, scales_[part]);
    at += w.size();
    column += w.rows;
  }
  if (codes_) kernels().ternary_pack(out_, in_, codes_, packed_);
}

size_t BitLinear::buffer_bytes() const {
  return in_ * out_ + kernels().ternary_packed_size(out_, in_) + out_ * sizeof(real);
}

// Codes and scale of one part, whose values begin at `at`.
void BitLinear::quantise_part(size_t part, size_t at) {
  if (fixed_[part]) return;
  const real a = quantizer_.quantize(params_.weight(part).value, config_.weight_eps, codes_ + at);
  limits_[part] = real(1.5) * a;
  scales_[part] = config_.output_scale ? a : a * real(0) + real(1);  // NaN stays visible
}

// w + lambda (a code - w), with lambda = 1 for fixed codes.
void BitLinear::effective_part(size_t part, const std::int8_t* codes, real* out) const {
  const View w = params_.weight(part).value;
  kernels().ternary_expand(w.size(), codes, scales_[part], out);
  if (lambda_ < 1 && !fixed_[part])
    for (size_t i = 0; i < w.size(); ++i) out[i] = w.data[i] + lambda_ * (out[i] - w.data[i]);
}

// out x in, in the pass's memory.
View BitLinear::effective_weights(Pass& pass) const {
  const View all = pass.arena.matrix(out_, in_);
  const Arena::Mark mark = pass.arena.mark();
  const std::int8_t* codes = codes_;
  if (packed_alone()) {
    std::int8_t* const unpacked = pass.arena.array<std::int8_t>(out_ * in_);
    kernels().ternary_unpack(out_, in_, packed_, unpacked);
    codes = unpacked;
  }
  size_t at = 0;
  for (size_t part = 0; part < params_.parts(); ++part) {
    effective_part(part, codes + at, all.data + at);
    at += params_.weight(part).size();
  }
  pass.arena.release(mark);
  return all;
}

bool BitLinear::fix_ternary(const std::string& name,
                            const std::vector<std::int8_t>& codes,
                            real scale) {
  size_t at = 0;
  for (size_t part = 0; part < params_.parts(); ++part) {
    const Param& w = params_.weight(part);
    if (w.name == name) {
      if (codes.size() != w.size())
        throw Error(name, "must have " + std::to_string(w.size()) + " ternary codes, but got " +
                              std::to_string(codes.size()));
      allocate();
      if (fixed_[part]) throw Error(name, "must have its codes fixed once, but has them already");
      std::copy(codes.begin(), codes.end(), codes_ + at);
      scales_[part] = scale;
      fixed_[part] = true;
      give_back_pages(w.value.data, w.size() * sizeof(real));  // nobody reads them again
      if (std::find(fixed_.begin(), fixed_.end(), false) == fixed_.end()) keep_packed_alone();
      return true;
    }
    at += w.size();
  }
  return false;
}

View BitLinear::forward(View x, Pass& pass) const {
  const View xn = normalise(x, pass);
  const bool integer = config_.act_quant == "int8" && lambda_ == 1;
  return integer ? forward_integer(xn, pass) : forward_float(xn, pass);
}

View BitLinear::factor_input(View x, Pass& pass) const {
  return effective_activations(normalise(x, pass), pass);
}

View BitLinear::normalise(View x, Pass& pass) const {
  if (!norm_gain_.cols) return x;
  const View xn = pass.arena.matrix(x.rows, in_);
  const View rstd = pass.arena.matrix(1, x.rows);
  if (centred_) {
    const View mean = pass.arena.matrix(1, x.rows);
    layernorm_forward(x, norm_gain_.value, norm_shift_.value, config_.norm_eps, xn, mean, rstd);
    pass.saved.push(mean);
  } else {
    rmsnorm_forward(x, norm_gain_.value, config_.norm_eps, xn, rstd);
  }
  pass.saved.push(rstd);
  pass.saved.push(x);
  return xn;
}

View BitLinear::backward_through_norm(View dxn, Pass& pass) const {
  if (!norm_gain_.cols) return dxn;
  const View x = pass.saved.pop();
  const View rstd = pass.saved.pop();
  Gradients& g = *pass.gradients;
  if (centred_) {
    const View mean = pass.saved.pop();
    layernorm_backward(dxn, x, norm_gain_.value, mean, rstd, dxn, g.of(norm_gain_),
                       norm_shift_.cols ? g.of(norm_shift_) : View{});
  } else {
    rmsnorm_backward(dxn, x, norm_gain_.value, rstd, dxn, g.of(norm_gain_));
  }
  return dxn;
}

// Keeps the int8 codes, a quarter of the memory of the activations.
View BitLinear::forward_integer(View xn, Pass& pass) const {
  const size_t stride = code_stride();
  const Int8Rows xq{pass.arena.matrix(xn.rows, stride / sizeof(real)),
                    pass.arena.matrix(1, xn.rows)};
  std::int32_t* const sums = pass.arena.array<std::int32_t>(xn.rows);
  kernels().quantize_rows(xn.rows, in_, xn.data, static_cast<real>(config_.act_eps), xq.codes(),
                          stride, xq.step.data, sums);
  const View y = pass.arena.matrix(xn.rows, out_);
  kernels().ternary_gemm({.m = xn.rows,
                          .n = out_,
                          .k = in_,
                          .x = xq.codes(),
                          .x_stride = stride,
                          .x_step = xq.step.data,
                          .x_sum = sums,
                          .w = packed_,
                          .w_scale = column_scale_.data(),
                          .bias = params_.biases().data,
                          .y = y.data});
  pass.saved.push(xq.storage);
  pass.saved.push(xq.step);
  return y;
}

View BitLinear::forward_float(View xn, Pass& pass) const {
  const View xq = effective_activations(xn, pass);
  const View y = pass.arena.matrix(xn.rows, out_);
  const Arena::Mark mark = pass.arena.mark();
  matmul_nt(xq, effective_weights(pass), y);
  pass.arena.release(mark);
  if (params_.biases().data) add_bias(params_.biases(), y);
  pass.saved.push(xq);
  return y;
}

// xn + lambda (Q(xn) - xn).
View BitLinear::effective_activations(View xn, Pass& pass) const {
  if (config_.act_quant == "none" || lambda_ == 0) return xn;
  const size_t stride = code_stride();
  const View xq = pass.arena.matrix(xn.rows, in_);
  const Arena::Mark mark = pass.arena.mark();
  std::int8_t* const codes = pass.arena.array<std::int8_t>(xn.rows * stride);
  real* const step = pass.arena.array<real>(xn.rows);
  std::int32_t* const sums = pass.arena.array<std::int32_t>(xn.rows);
  kernels().quantize_rows(xn.rows, in_, xn.data, static_cast<real>(config_.act_eps), codes, stride,
                          step, sums);
  kernels().dequantize_rows(xn.rows, in_, codes, stride, step, xq.data);
  pass.arena.release(mark);
  for (size_t i = 0; i < xq.size(); ++i)
    xq.data[i] = xn.data[i] + lambda_ * (xq.data[i] - xn.data[i]);
  return xq;
}

View BitLinear::backward(View dy, Pass& pass) const {
  if (params_.biases().data) bias_backward(dy, params_.bias_gradients(*pass.gradients));
  const View dxn = pass.arena.matrix(dy.rows, in_);
  const Arena::Mark mark = pass.arena.mark();
  if (config_.act_quant == "int8" && lambda_ == 1) {
    const View step = pass.saved.pop();
    const Int8Rows codes{pass.saved.pop(), step};
    const View xq = pass.arena.matrix(dy.rows, in_);
    kernels().dequantize_rows(dy.rows, in_, codes.codes(), code_stride(), step.data, xq.data);
    add_weight_gradient(dy, xq, pass);
  } else {
    add_weight_gradient(dy, pass.saved.pop(), pass);
  }
  pass.arena.release(mark);
  matmul_nn(dy, effective_weights(pass), dxn);
  pass.arena.release(mark);
  return backward_through_norm(dxn, pass);
}

void BitLinear::add_weight_gradient(View dy, View xq, Pass& pass) const {
  const View dw = params_.weight_gradients(*pass.gradients);
  if (config_.straight_through == "identity") return matmul_tn_add(dy, xq, dw);
  // clipped: as autograd sees clamp(round(w / a), -1, 1) with round taken for the identity. What
  // the latent weights give past the quantiser, while it fades in, is not clipped.
  const View product = pass.arena.matrix(out_, in_);
  std::fill_n(product.data, product.size(), real(0));
  matmul_tn_add(dy, xq, product);
  const real beyond = real(1) - lambda_;
  size_t at = 0;
  for (size_t part = 0; part < params_.parts(); ++part) {
    const View w = params_.weight(part).value;
    for (size_t i = 0; i < w.size(); ++i, ++at)
      dw.data[at] +=
          std::fabs(w.data[i]) <= limits_[part] ? product.data[at] : beyond * product.data[at];
  }
}

void BitLinear::visit_params(const std::string& prefix, const ParamVisitor& visit) {
  if (norm_gain_.cols) visit(prefix, norm_gain_);
  if (norm_shift_.cols) visit(prefix, norm_shift_);
  params_.visit(prefix, visit);
}

void BitLinear::visit_ternary(const TernaryVisitor& visit) const {
  std::vector<std::int8_t> unpacked(packed_alone() ? out_ * in_ : 0);
  if (packed_alone()) kernels().ternary_unpack(out_, in_, packed_, unpacked.data());
  const std::int8_t* const codes = packed_alone() ? unpacked.data() : codes_;
  size_t at = 0;
  for (size_t part = 0; part < params_.parts(); ++part) {
    const Param& w = params_.weight(part);
    TernaryStats stats;
    stats.name = w.name;
    stats.rows = w.rows;
    stats.cols = w.cols;
    stats.codes = codes + at;
    stats.quantizer = &quantizer_;
    stats.effective = [this, part, codes = codes + at, n = w.size()] {
      std::vector<real> weights(n);
      effective_part(part, codes, weights.data());
      return weights;
    };
    stats.scale = scales_[part];
    size_t minus = 0, plus = 0;
    for (size_t i = 0; i < w.size(); ++i) {
      minus += stats.codes[i] < 0;
      plus += stats.codes[i] > 0;
    }
    const auto total = static_cast<double>(w.size());
    stats.minus = static_cast<double>(minus) / total;
    stats.plus = static_cast<double>(plus) / total;
    stats.zero = static_cast<double>(w.size() - minus - plus) / total;
    visit(stats);
    at += w.size();
  }
}

std::string BitLinear::describe() const {
  return "BitLinear " + std::to_string(in_) + " -> " + std::to_string(out_) + ", " +
         config_.weight_quant + " weights, " +
         (config_.act_quant == "none" ? "full-precision" : config_.act_quant) + " activations" +
         (config_.norm == "none" ? "" : ", " + config_.norm + " inside");
}

}  // namespace bitlab
