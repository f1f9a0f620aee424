#include "experiments/energy.h"

#include <set>

namespace bitlab {

namespace {

// Multiply-adds of a token with weights, and with attention at each position of its context.
struct TokenMacs {
  double weights = 0, attention = 0;
};

// A net's are weights + attention T + pooler / T at T tokens a text: three lengths tell them apart.
TokenMacs token_macs(const Layer& net) {
  const double at1 = net.macs_per_row(1), at2 = net.macs_per_row(2), at4 = net.macs_per_row(4);
  const double attention = ((at4 - at2) - (at2 - at1) / 2) / 1.5;
  const double pooler = 2 * (attention - (at2 - at1));
  return {at1 - attention - pooler, attention};
}

}  // namespace

std::vector<WeightShape> weight_shapes(Layer& net) {
  std::vector<WeightShape> shapes;
  std::set<const Param*> seen;
  double macs = 0;
  net.visit_params("", [&](const std::string& prefix, Param& p) {
    if (!seen.insert(&p).second || p.rows == 1) return;  // norms and biases
    const std::string name = join_name(prefix, p.name);
    if (name.starts_with("embedding.")) return;  // looked up
    if (name.starts_with("pooler.")) return;     // once a text, next to nothing of a token
    shapes.push_back({p.cols, p.rows, p.ternary});
    macs += static_cast<double>(p.size());
  });
  // A head that reads the embedding has no matrix of its own.
  const double tied = token_macs(net).weights - macs;
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
  const double attention = token_macs(net).attention * static_cast<double>(seq_len);
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
