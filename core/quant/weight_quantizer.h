#pragma once
// From latent weights to ternary codes and one scale a tensor.
#include <cstdint>
#include <functional>
#include <string>

#include "core/base/registry.h"
#include "core/config/fields.h"
#include "core/tensor/view.h"

namespace bitlab {

struct WeightQuantizer {
  int version = 1;  // enters the run id: raise it when codes or scales change
  std::string description = {};
  // Writes w.size() codes in {-1, 0, 1} and returns the scale a: the effective weights are a *
  // codes. eps is the smallest scale.
  std::function<real(View w, double eps, std::int8_t* codes)> quantize = {};
  // Only of a quantiser with settings of its own, which stand in the table named after it; then
  // `quantize` is what the defaults give, and this what others do.
  MakeConfig make_config = no_settings;
  std::function<decltype(quantize)(const Configurable& settings)> configure = {};
};

//   absmean    a = max(mean|w|, eps), code = clamp(rne(w / a), -1, 1)   (b1.58, arXiv 2402.17764)
//   absmedian  the same with the median ("Reloaded", arXiv 2407.09527)
//   twn        code = sign(w) where |w| > 0.7 max(mean|w|, eps), else 0; a = max(mean |w| of those
//              that are not 0, eps): about the ternary weights nearest to w (Ternary Weight
//              Networks, arXiv 1605.04711, eqs. 5 and 6)
//   binary     a = max(mean|w|, eps), code = sign(w - mean w), sign(0) = 0   (BitNet b1)
// Rounding is half to even; 1 / a is taken in working precision, as torch does.
Registry<WeightQuantizer>& weight_quantizers();

// The quantiser `name` with these settings (null: its defaults) applied to `quantize`.
WeightQuantizer configured_quantizer(const std::string& name, const Configurable* settings);

}  // namespace bitlab
