#include "core/ops/distillation.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace bitlab {

namespace {

// log_p = log softmax(x / temperature).
template <class T>
void log_softmax(const T* x, size_t n, double temperature, double* log_p) {
  const double top = static_cast<double>(*std::max_element(x, x + n));
  double sum = 0;
  for (size_t i = 0; i < n; ++i) {
    log_p[i] = (static_cast<double>(x[i]) - top) / temperature;
    sum += std::exp(log_p[i]);
  }
  for (size_t i = 0; i < n; ++i) log_p[i] -= std::log(sum);
}

}  // namespace

double distillation_loss(View logits,
                         const std::int32_t* targets,
                         const float* teacher,
                         const Distillation& distillation,
                         double grad_scale) {
  const size_t V = logits.cols;
  const double T = distillation.temperature, weight = distillation.weight;
  thread_local std::vector<double> memory;  // grows only
  if (memory.size() < 3 * V) memory.resize(3 * V);
  double *hard = memory.data(), *soft = hard + V, *wanted = soft + V;
  double total = 0;
  for (size_t r = 0; r < logits.rows; ++r) {
    if (targets[r] < 0 || static_cast<size_t>(targets[r]) >= V)
      throw Error("distillation_loss", "targets must be below the labels' number " +
                                           std::to_string(V) + ", but got " +
                                           std::to_string(targets[r]));
    const auto target = static_cast<size_t>(targets[r]);
    real* const z = logits.row(r);
    log_softmax(z, V, 1, hard);
    log_softmax(z, V, T, soft);
    log_softmax(teacher + r * V, V, T, wanted);
    total -= hard[target];
    for (size_t i = 0; i < V; ++i) {
      const double p = std::exp(wanted[i]);
      total += weight * T * T * p * (wanted[i] - soft[i]);
      const double slope =
          std::exp(hard[i]) - (i == target ? 1 : 0) + weight * T * (std::exp(soft[i]) - p);
      z[i] = static_cast<real>(slope * grad_scale);
    }
  }
  return total;
}

}  // namespace bitlab
