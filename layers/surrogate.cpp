#include "layers/surrogate.h"

#include <algorithm>
#include <cmath>

#include "core/quant/weight_quantizer.h"

namespace bitlab {

namespace {

using Values = Surrogate::Values;

// Half to even, by the default rounding mode.
double round_clamp(double x, double low, double high) {
  return std::clamp(std::nearbyint(x), low, high);
}

// The codes of w; returns the scale.
double weight_codes(View w, const BitLinearConfig& config, Values& codes) {
  const std::string& kind = config.weight_quant;
  if (kind != "absmean" && kind != "absmedian" && kind != "twn" && kind != "binary") {
    std::vector<std::int8_t> small(w.size());
    const WeightQuantizer quantizer =
        configured_quantizer(kind, config.weight_quant_settings.get());
    const double scale = quantizer.quantize(w, config.weight_eps, small.data());
    codes.assign(small.begin(), small.end());
    return scale;
  }
  Values sizes;
  double mean = 0, a = 0;
  for (size_t i = 0; i < w.size(); ++i) {
    sizes.push_back(std::fabs(w.data[i]));
    mean += w.data[i] / double(w.size());
  }
  for (const double s : sizes) a += s / double(sizes.size());
  std::sort(sizes.begin(), sizes.end());
  if (kind == "absmedian") a = sizes[(sizes.size() - 1) / 2];
  a = std::max(a, config.weight_eps);
  if (kind == "twn") {
    const double cut = 0.7 * a;
    double sum = 0, count = 0;
    for (size_t i = 0; i < w.size(); ++i) {
      const double x = w.data[i];
      codes.push_back(std::fabs(x) > cut ? (x > 0) - (x < 0) : 0);
      sum += std::fabs(x * codes.back());
      count += std::fabs(codes.back());
    }
    return count > 0 ? std::max(sum / count, config.weight_eps) : a;
  }
  for (size_t i = 0; i < w.size(); ++i) {
    const double x = w.data[i];
    codes.push_back(kind == "binary" ? (x > mean) - (x < mean) : round_clamp(x / a, -1, 1));
  }
  return a;
}

}  // namespace

Surrogate::Surrogate(GradientProblem& problem, const LayerExample& example)
    : problem_(problem), shape_(example.shape), config_(example.config) {
  lambda_ =
      config_.lambda_warmup_steps
          ? std::min(1.0, double(GradientProblem::kStep) / double(config_.lambda_warmup_steps))
          : 1;
  for (const Param* p : problem.store.params()) {
    if (p->name.find("norm.weight") != std::string::npos)
      gain_ = p;
    else if (p->name.find("norm.bias") != std::string::npos)
      shift_ = p;
    else if (p->ternary)
      weights_.push_back(p);
    else
      biases_.push_back(p);
  }
  xn0_ = normalised();
  xq0_ = xn0_;
  for (size_t r = 0; r < rows(); ++r) quantise_token(r);
  for (const Param* w : weights_) quantise_weights(w->value);
}

Surrogate::Values Surrogate::outputs() const {
  const Values xn = normalised();
  Values y(rows() * shape_.out());
  for (size_t r = 0; r < rows(); ++r) {
    size_t column = 0;
    for (size_t part = 0; part < weights_.size(); ++part) {
      const View w = weights_[part]->value;
      for (size_t j = 0; j < w.rows; ++j, ++column) {
        double sum = biases_.empty() ? 0 : biases_[part]->value.data[j];
        for (size_t c = 0; c < w.cols; ++c) {
          const size_t at = r * w.cols + c, k = column * w.cols + c;
          sum += (xq0_[at] + xn[at] - xn0_[at]) * (wq0_[k] + slope_[k] * (w(j, c) - w0_[k]));
        }
        y[r * shape_.out() + column] = sum;
      }
    }
  }
  return y;
}

Surrogate::Values Surrogate::normalised() const {
  const size_t n = shape_.in;
  Values out(problem_.x.begin(), problem_.x.end());
  if (config_.norm == "none") return out;
  for (size_t r = 0; r < rows(); ++r) {
    double mean = 0, square = 0;
    double* x = &out[r * n];
    if (config_.norm.starts_with("layernorm"))
      for (size_t c = 0; c < n; ++c) mean += x[c] / double(n);
    for (size_t c = 0; c < n; ++c) square += (x[c] - mean) * (x[c] - mean) / double(n);
    for (size_t c = 0; c < n; ++c)
      x[c] = (x[c] - mean) / std::sqrt(square + config_.norm_eps) * gain_->value.data[c] +
             (shift_ ? shift_->value.data[c] : 0);
  }
  return out;
}

void Surrogate::quantise_token(size_t r) {
  if (config_.act_quant == "none") return;
  double* x = &xq0_[r * shape_.in];
  double top = config_.act_eps;
  for (size_t c = 0; c < shape_.in; ++c) top = std::max(top, std::fabs(x[c]));
  const double s = 127 / top;
  for (size_t c = 0; c < shape_.in; ++c)
    x[c] += lambda_ * (round_clamp(x[c] * s, -128, 127) / s - x[c]);
}

void Surrogate::quantise_weights(View w) {
  Values codes;
  const double a = weight_codes(w, config_, codes);
  for (size_t i = 0; i < w.size(); ++i) {
    const double x = w.data[i];
    const double quantised = (config_.output_scale ? a : 1) * codes[i];
    const bool clamped =
        config_.straight_through == "clipped" && std::fabs(std::nearbyint(x / a)) > 1;
    clamped_ += clamped;
    w0_.push_back(x);
    wq0_.push_back(x + lambda_ * (quantised - x));
    slope_.push_back(clamped ? 1 - lambda_ : 1);  // what is not quantised has slope 1
  }
}

}  // namespace bitlab
