#include "core/quant/weight_quantizer.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/simd/kernels.h"

namespace bitlab {

namespace {

// clamp(rne(w / scale), -1, 1). A NaN weight has no code: it is written as 0, and its scale is NaN,
// which makes every output NaN.
void round_to_codes(View w, real scale, std::int8_t* codes) {
  simd::kernels().ternary_round(w.size(), w.data, real(1) / scale, codes);
}

real mean_of_abs(View w) {
  return static_cast<real>(simd::kernels().sum_of_abs(w.size(), w.data) /
                           static_cast<double>(w.size()));
}

// NaN stays, other values are raised to eps.
real at_least(real x, double eps) {
  return x < static_cast<real>(eps) ? static_cast<real>(eps) : x;
}

real absmean(View w, double eps, std::int8_t* codes) {
  const real scale = at_least(mean_of_abs(w), eps);
  round_to_codes(w, scale, codes);
  return scale;
}

real absmedian(View w, double eps, std::int8_t* codes) {
  thread_local std::vector<real> sizes;  // its memory is kept from step to step
  sizes.resize(w.size());
  real check = 0;
  for (size_t i = 0; i < w.size(); ++i) {
    sizes[i] = std::fabs(w.data[i]);
    check += real(0) * sizes[i];  // NaN if any weight is NaN or infinite
  }
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>((sizes.size() - 1) / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());  // the lower median, as torch.median
  const real scale = at_least(*middle, eps) + check;
  round_to_codes(w, scale, codes);
  return scale;
}

real binary(View w, double eps, std::int8_t* codes) {
  double sum = 0;
  for (size_t i = 0; i < w.size(); ++i) sum += w.data[i];
  const real mean = static_cast<real>(sum / static_cast<double>(w.size()));
  for (size_t i = 0; i < w.size(); ++i)
    codes[i] = static_cast<std::int8_t>((w.data[i] > mean) - (w.data[i] < mean));
  return at_least(mean_of_abs(w), eps);
}

// Rounding gives a code beyond one half, so rounding w / (2 threshold) cuts at the threshold.
real twn(View w, double eps, std::int8_t* codes) {
  const real mean = at_least(mean_of_abs(w), eps);
  round_to_codes(w, real(1.4) * mean, codes);
  constexpr size_t kChunk = 1024;
  real kept[kChunk];  // weights of codes other than 0
  double sum = 0;
  size_t count = 0;
  for (size_t begin = 0; begin < w.size(); begin += kChunk) {
    const size_t n = std::min(kChunk, w.size() - begin);
    int coded = 0;
    for (size_t i = 0; i < n; ++i) {
      kept[i] = w.data[begin + i] * static_cast<real>(codes[begin + i]);
      coded += codes[begin + i] != 0;
    }
    sum += simd::kernels().sum_of_abs(n, kept);
    count += static_cast<size_t>(coded);
  }
  return count > 0 ? at_least(static_cast<real>(sum / static_cast<double>(count)), eps) : mean;
}

void register_builtin_weight_quantizers(Registry<WeightQuantizer>& registry) {
  registry.add("absmean", {1, "ternary, scale = mean |w| (BitNet b1.58)", absmean});
  registry.add("absmedian", {1, "ternary, scale = median |w|", absmedian});
  registry.add("twn", {1, "ternary at 0.7 mean |w|, scale = mean of what is not 0 (TWN)", twn});
  registry.add("binary", {1, "sign of w - mean w, scale = mean |w| (BitNet b1)", binary});
}

}  // namespace

Registry<WeightQuantizer>& weight_quantizers() {
  static Registry<WeightQuantizer> registry("weight quantiser", register_builtin_weight_quantizers);
  return registry;
}

WeightQuantizer configured_quantizer(const std::string& name, const Configurable* settings) {
  WeightQuantizer quantizer = weight_quantizers().at(name);
  if (settings && quantizer.configure) quantizer.quantize = quantizer.configure(*settings);
  return quantizer;
}

}  // namespace bitlab
