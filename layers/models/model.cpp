#include "layers/models/model.h"

#include "core/base/error.h"
#include "core/ops/cross_entropy.h"

namespace bitlab {

LanguageModel::LanguageModel(LayerPtr net, size_t vocab_size, size_t seq_len, std::uint64_t seed)
    : net_(std::move(net)), params_(*net_), vocab_size_(vocab_size), seq_len_(seq_len) {
  params_.initialise(seed);
  prepare(0);
}

View LanguageModel::logits(Pass& pass) const {
  pass.arena.reset();
  pass.saved.clear();
  return net_->forward({}, pass);
}

double LanguageModel::loss(Pass& pass, const std::int32_t* targets, double* losses) const {
  return cross_entropy(logits(pass), targets, 0, {}, losses);
}

double LanguageModel::loss_and_gradients(Pass& pass,
                                         const std::int32_t* targets,
                                         double grad_scale) const {
  const View z = logits(pass);
  const double total = cross_entropy(z, targets, grad_scale, z);
  net_->backward(z, pass);
  return total;
}

void LanguageModel::fix_ternary(const std::string& name,
                                const std::vector<std::int8_t>& codes,
                                real scale) {
  if (!net_->fix_ternary(name, codes, scale))
    throw Error("model",
                "a ternary matrix must be named, but '" + name + "' is none of the model's");
}

}  // namespace bitlab
