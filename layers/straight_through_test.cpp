// BitLinear against its definition: forward is the quantised product, backward the derivative of
// the surrogate in which quantisers are replaced by the identity around the current point:
//   xq(x) = Q(xn0) + (xn(x) - xn0),  wq(w) = Q(w0) + (w - w0),  y = xq wq^T + b, the norm inside
//   exact.
#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/catch.h"
#include "layers/examples.h"
#include "layers/gradient_check.h"

using namespace bitlab;

namespace {

using Values = std::vector<double>;

// Half to even, by the default rounding mode.
double round_clamp(double x, double low, double high) {
  return std::clamp(std::nearbyint(x), low, high);
}

class Surrogate {
 public:
  Surrogate(GradientProblem& problem, const LayerExample& example)
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

  Values outputs() const {
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

 private:
  size_t rows() const { return GradientProblem::kBatch * GradientProblem::kSeqLen; }

  Values normalised() const {
    const size_t n = shape_.in;
    Values out(problem_.x.begin(), problem_.x.end());
    if (config_.norm == "none") return out;
    for (size_t r = 0; r < rows(); ++r) {
      double mean = 0, square = 0;
      double* x = &out[r * n];
      if (config_.norm == "layernorm")
        for (size_t c = 0; c < n; ++c) mean += x[c] / double(n);
      for (size_t c = 0; c < n; ++c) square += (x[c] - mean) * (x[c] - mean) / double(n);
      for (size_t c = 0; c < n; ++c)
        x[c] = (x[c] - mean) / std::sqrt(square + config_.norm_eps) * gain_->value.data[c] +
               (shift_ ? shift_->value.data[c] : 0);
    }
    return out;
  }

  void quantise_token(size_t r) {
    if (config_.act_quant == "none") return;
    double* x = &xq0_[r * shape_.in];
    double top = config_.act_eps;
    for (size_t c = 0; c < shape_.in; ++c) top = std::max(top, std::fabs(x[c]));
    const double s = 127 / top;
    for (size_t c = 0; c < shape_.in; ++c)
      x[c] += lambda_ * (round_clamp(x[c] * s, -128, 127) / s - x[c]);
  }

  void quantise_weights(View w) {
    Values sizes;
    double mean = 0;
    for (size_t i = 0; i < w.size(); ++i) {
      sizes.push_back(std::fabs(w.data[i]));
      mean += w.data[i] / double(w.size());
    }
    double a = 0;
    for (const double s : sizes) a += s / double(sizes.size());
    std::sort(sizes.begin(), sizes.end());
    if (config_.weight_quant == "absmedian") a = sizes[(sizes.size() - 1) / 2];
    a = std::max(a, config_.weight_eps);
    for (size_t i = 0; i < w.size(); ++i) {
      const double x = w.data[i];
      const double code =
          config_.weight_quant == "binary" ? (x > mean) - (x < mean) : round_clamp(x / a, -1, 1);
      const double quantised = (config_.output_scale ? a : 1) * code;
      const bool clamped =
          config_.straight_through == "clipped" && std::fabs(std::nearbyint(x / a)) > 1;
      clamped_ += clamped;
      w0_.push_back(x);
      wq0_.push_back(x + lambda_ * (quantised - x));
      slope_.push_back(clamped ? 1 - lambda_
                               : 1);  // what does not come from the quantiser has slope 1
    }
  }

  GradientProblem& problem_;
  LinearShape shape_;
  BitLinearConfig config_;
  double lambda_ = 1;
  const Param *gain_ = nullptr, *shift_ = nullptr;
  std::vector<const Param*> weights_, biases_;
  Values xn0_, xq0_, w0_, wq0_, slope_;

 public:
  size_t clamped_ = 0;
};

}  // namespace

TEST_CASE("BitLinear equals its definition forward, and its straight-through surrogate backward",
          "[layers][grad][bitlinear]") {
  size_t examples = 0;
  for (const LayerExample& example : layer_examples()) {
    if (example.kind != LayerExample::Kind::StraightThrough) continue;
    ++examples;
    GradientProblem problem(example.make(), example.in, example.vocab);
    problem.prepare();
    const std::vector<real> y = problem.outputs();
    const Surrogate surrogate(problem, example);
    const Values want = surrogate.outputs();
    REQUIRE(y.size() == want.size());
    INFO(example.name);
    for (size_t i = 0; i < y.size(); ++i)
      REQUIRE(y[i] == Approx(want[i]).epsilon(1e-10).margin(1e-10));
    if (example.config.straight_through == "clipped") CHECK(surrogate.clamped_ > 0);
    const GradientReport report = check_gradients(problem, [&] {
      const Values out = surrogate.outputs();
      return problem.loss({out.begin(), out.end()});
    });
    INFO(report.where);
    CHECK(report.worst < 1e-6);
  }
  CHECK(examples >= 40);
}
