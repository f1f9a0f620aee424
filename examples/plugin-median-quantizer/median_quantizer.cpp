// A weight quantiser for bitlab: ternary codes by the median of |w|, times a factor.
//   a = max(factor * median |w|, eps),   code = clamp(round(w / a), -1, 1)
// With factor 1 this is bitlab's own `absmedian`. Weights below a / 2 become 0, so the factor sets
// the share of zeros: for normal weights 26 % at 1, and at 1.18 the 31 % of `absmean`, whose mean a
// few large weights would move.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "experiments/plugin.h"

namespace {

using namespace bitlab;

// Its settings: model.bitlinear.scaled_median.factor. Below 2/3 or above 2 the codes of quantised
// weights would not be those weights' own codes.
struct ScaledMedianConfig : Configurable {
  double factor = 1.18;

  void fields(FieldVisitor& v) override {
    v.field("factor", factor,
            {.help = "the scale, as a multiple of the median of |w|", .min = 0.7, .max = 1.9});
  }
};

// The lower median of |w|; NaN if any weight is NaN or infinite, so that it stays visible.
real median_of_abs(View w) {
  thread_local std::vector<real> sizes;  // its memory is kept from step to step
  sizes.resize(w.size());
  real check = 0;
  for (size_t i = 0; i < w.size(); ++i) {
    sizes[i] = std::fabs(w.data[i]);
    check += real(0) * sizes[i];
  }
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>((sizes.size() - 1) / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  return *middle + check;
}

// Writes the codes of w (any shape) and returns the scale: bitlab multiplies by scale * code.
real quantize(View w, double factor, double eps, std::int8_t* codes) {
  const real scale = median_of_abs(w) * static_cast<real>(factor);
  const real a = scale < static_cast<real>(eps) ? static_cast<real>(eps) : scale;  // NaN stays
  for (size_t i = 0; i < w.size(); ++i)
    codes[i] = static_cast<std::int8_t>((w.data[i] > a / 2) - (w.data[i] < -a / 2));
  return a;
}

}  // namespace

BITLAB_PLUGIN("median-quantizer", 1) {
  host.add_weight_quantizer("scaled_median",
                            {.version = 1,
                             .description = "ternary, scale = factor * median |w|",
                             .make_config = [] { return std::make_unique<ScaledMedianConfig>(); },
                             .configure =
                                 [](const Configurable& settings) {
                                   const double factor =
                                       dynamic_cast<const ScaledMedianConfig&>(settings).factor;
                                   return [factor](View w, double eps, std::int8_t* codes) {
                                     return quantize(w, factor, eps, codes);
                                   };
                                 }});
}
