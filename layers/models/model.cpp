#include "layers/models/model.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/ops/cross_entropy.h"
#include "layers/block_output.h"
#include "layers/kv_cache.h"

namespace bitlab {

LanguageModel::LanguageModel(LayerPtr net, size_t vocab_size, size_t seq_len)
    : net_(std::move(net)), params_(*net_), vocab_size_(vocab_size), seq_len_(seq_len) {
  net_->visit_leaves([&](Layer& leaf) { leaves_.push_back(&leaf); });
}

LanguageModel::LanguageModel(LayerPtr net, size_t vocab_size, size_t seq_len, std::uint64_t seed)
    : LanguageModel(std::move(net), vocab_size, seq_len) {
  params_.initialise(seed);
  prepare(0);
}

size_t LanguageModel::blocks() const {
  return static_cast<size_t>(std::count_if(leaves_.begin(), leaves_.end(), [](const Layer* leaf) {
    return dynamic_cast<const BlockOutput*>(leaf) != nullptr;
  }));
}

void LanguageModel::prepare(std::uint64_t step) {
  for (Layer* leaf : leaves_) leaf->prepare(step);
}

void LanguageModel::prepare(std::uint64_t step, ThreadTeam& team) {
  team.run(leaves_.size(), [&](size_t i) { leaves_[i]->prepare(step); });
}

void LanguageModel::visit_ternary(const TernaryVisitor& visit) const {
  for (const Layer* leaf : leaves_) leaf->visit_ternary(visit);
}

View LanguageModel::logits(Pass& pass) const {
  pass.arena.reset();
  pass.saved.clear();
  if (pass.cache) pass.first_position = pass.cache->length();
  const View z = net_->forward({}, pass);
  if (pass.cache) pass.cache->advance(pass.seq_len);
  return z;
}

double LanguageModel::loss(Pass& pass, const std::int32_t* targets, double* losses) const {
  return cross_entropy(logits(pass), targets, 0, {}, losses);
}

double LanguageModel::loss_and_gradients(Pass& pass,
                                         const std::int32_t* targets,
                                         double grad_scale) const {
  return loss_and_gradients(pass, [&](View z) { return cross_entropy(z, targets, grad_scale, z); });
}

void LanguageModel::fix_ternary(const std::string& name,
                                const std::vector<std::int8_t>& codes,
                                real scale) {
  for (Layer* leaf : leaves_)
    if (leaf->fix_ternary(name, codes, scale)) return;
  throw Error("model", "a ternary matrix must be named, but '" + name + "' is none of the model's");
}

TokenTable* LanguageModel::token_table(const std::string& name) {
  size_t uses = 0;
  net_->visit_params("", [&](const std::string&, const Param& p) { uses += p.name == name; });
  TokenTable* found = nullptr;
  if (uses == 1)
    for (Layer* leaf : leaves_)
      if (TokenTable* table = leaf->token_table(name)) found = table;
  return found;
}

std::uint64_t settled_at(Layer& net) {
  std::uint64_t settled = 0;
  net.visit_leaves([&](const Layer& leaf) { settled = std::max(settled, leaf.settled_at()); });
  return settled;
}

}  // namespace bitlab
