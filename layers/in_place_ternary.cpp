#include "layers/in_place_ternary.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/simd/kernels.h"

namespace bitlab {

void InPlaceTernaryConfig::fields(FieldVisitor& v) {
  v.field("eps", eps, {.help = "added to the mean of |w|", .min = 0});
}

InPlaceTernary::InPlaceTernary(const LinearShape& shape, const InPlaceTernaryConfig& config)
    : linear_(shape), eps_(config.eps) {
  linear_.visit_params("", [&](const std::string&, Param& p) {
    if (weights_.size() == shape.parts.size()) return;  // biases come after the weights
    p.ternary = true;
    weights_.push_back(&p);
    codes_.emplace_back();
  });
}

void InPlaceTernary::visit_params(const std::string& prefix, const ParamVisitor& visit) {
  linear_.visit_params(prefix, visit);
}

void InPlaceTernary::prepare(std::uint64_t) {
  for (size_t part = 0; part < weights_.size(); ++part) {
    const View w = weights_[part]->value;
    codes_[part].resize(w.size());
    const double mean =
        simd::kernels().sum_of_abs(w.size(), w.data) / static_cast<double>(w.size());
    const real scale = static_cast<real>(mean + eps_);
    if (!std::isfinite(scale)) continue;  // a NaN weight stays visible
    simd::kernels().ternary_round(w.size(), w.data, real(1) / scale, codes_[part].data());
    simd::kernels().ternary_expand(w.size(), codes_[part].data(), real(1), w.data);
  }
}

size_t InPlaceTernary::buffer_bytes() const {
  size_t bytes = 0;
  for (const Param* w : weights_) bytes += w->size();
  return bytes;
}

void InPlaceTernary::visit_ternary(const TernaryVisitor& visit) const {
  for (size_t part = 0; part < weights_.size(); ++part) {
    const Param& w = *weights_[part];
    const std::vector<std::int8_t>& codes = codes_[part];
    const auto total = static_cast<double>(codes.size());
    const auto share = [&](int code) {
      return static_cast<double>(std::count(codes.begin(), codes.end(), code)) / total;
    };
    TernaryStats stats;
    stats.name = w.name;
    stats.minus = share(-1);
    stats.zero = share(0);
    stats.plus = share(1);
    stats.scale = 1;
    stats.codes = codes.data();
    stats.rows = w.rows;
    stats.cols = w.cols;
    stats.effective = [w = w.value] { return std::vector<real>(w.data, w.data + w.size()); };
    stats.quantizer = &weight_quantizers().at("absmean");  // gives ternary weights back unchanged
    visit(stats);
  }
}

bool InPlaceTernary::fix_ternary(const std::string& name,
                                 const std::vector<std::int8_t>& codes,
                                 real scale) {
  for (Param* w : weights_) {
    if (w->name != name) continue;
    if (codes.size() != w->size() || scale != 1)
      throw Error(name, "must have " + std::to_string(w->size()) +
                            " ternary codes of scale 1, but got " + std::to_string(codes.size()) +
                            " of scale " + std::to_string(scale));
    simd::kernels().ternary_expand(codes.size(), codes.data(), real(1), w->value.data);
    return true;
  }
  return false;
}

std::string InPlaceTernary::describe() const {
  return linear_.describe() + ", weights made ternary in place";
}

}  // namespace bitlab
