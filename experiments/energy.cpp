#include "experiments/energy.h"

#include <set>

namespace bitlab {

std::vector<WeightShape> weight_shapes(Layer& net) {
  std::vector<WeightShape> shapes;
  std::set<const Param*> seen;
  double macs = 0;
  net.visit_params("", [&](const std::string& prefix, Param& p) {
    if (!seen.insert(&p).second || p.rows == 1) return;               // norms and biases
    if (join_name(prefix, p.name).starts_with("embedding.")) return;  // looked up
    shapes.push_back({p.cols, p.rows, p.ternary});
    macs += static_cast<double>(p.size());
  });
  // A head that reads the embedding has no matrix of its own.
  const double tied = net.macs_per_row(0) - macs;
  if (tied <= 0) return shapes;
  bool found = false;
  net.visit_params("", [&](const std::string&, Param& p) {
    if (found || static_cast<double>(p.size()) != tied) return;
    shapes.push_back({p.cols, p.rows, false});
    found = true;
  });
  return shapes;
}

double product_energy(const WeightShape& w, double m, const OperationEnergy& e, bool full) {
  const auto n = static_cast<double>(w.in), p = static_cast<double>(w.out);
  if (full || !w.ternary) return m * (n - 1) * p * e.add_fp16 + m * n * p * e.mul_fp16;
  return m * (n - 1) * p * e.add_int8 + (m * p + m * n) * e.mul_fp16;
}

std::vector<TokenEnergy> token_energy(Layer& net, std::size_t seq_len) {
  constexpr double kPico = 1e-12;
  const std::vector<WeightShape> shapes = weight_shapes(net);
  const double attention = net.macs_per_row(seq_len) - net.macs_per_row(0);
  std::vector<TokenEnergy> all;
  for (const OperationEnergy& e : kOperationEnergy) {
    TokenEnergy energy{e.process};
    energy.joules = energy.joules_full = kPico * attention * (e.add_fp16 + e.mul_fp16);
    for (const WeightShape& w : shapes) {
      const double as_is = kPico * product_energy(w, 1, e, false),
                   full = kPico * product_energy(w, 1, e, true);
      energy.joules += as_is;
      energy.joules_full += full;
      energy.ternary_joules += w.ternary ? as_is : 0;
      energy.ternary_joules_full += w.ternary ? full : 0;
    }
    all.push_back(energy);
  }
  return all;
}

}  // namespace bitlab
