#pragma once
// A language model ready to run: layers, bound parameters, loss.
#include <cstdint>
#include <vector>

#include "core/base/thread_team.h"
#include "layers/layer.h"
#include "layers/params.h"

namespace bitlab {

// The optimiser step from which on quantisation has faded in in all layers of a net (see Layer).
std::uint64_t settled_at(Layer& net);

class LanguageModel {
 public:
  // Parameters are bound and initialised from the seed, and prepared for step 0.
  LanguageModel(LayerPtr net, size_t vocab_size, size_t seq_len, std::uint64_t seed);
  // Parameters are bound and zero: for a caller that sets them all, and then calls prepare().
  LanguageModel(LayerPtr net, size_t vocab_size, size_t seq_len);

  // Logits of pass.tokens: (batch * seq_len) x vocab_size, or batch x vocab_size if
  // pass.last_only. With pass.cache the tokens are those after what the cache holds: this sets
  // pass.first_position, and the cache holds them too afterwards.
  View logits(Pass& pass) const;

  // Sum over pass's rows of the cross-entropy of the next tokens, in nats; rows with a negative
  // target count nothing. losses: one a row, or null.
  double loss(Pass& pass, const std::int32_t* targets, double* losses = nullptr) const;

  // The same, and adds grad_scale times its gradient to pass.gradients.
  double loss_and_gradients(Pass& pass, const std::int32_t* targets, double grad_scale) const;

  // The same with another loss: loss(z) returns that of the logits z, and leaves its gradient in z.
  template <class Loss>
  double loss_and_gradients(Pass& pass, const Loss& loss) const {
    const View z = logits(pass);
    const double total = loss(z);
    net_->backward(z, pass);
    return total;
  }

  // After the parameters changed: prepares the layers for optimiser step `step`.
  void prepare(std::uint64_t step);
  void prepare(std::uint64_t step, ThreadTeam& team);  // the same, shared among threads

  // Calls visit for each ternary weight matrix, as prepared.
  void visit_ternary(const TernaryVisitor& visit) const;

  // Fixes the codes of the ternary matrix `name` (see Layer). Throws Error if the model has no such
  // matrix.
  void fix_ternary(const std::string& name, const std::vector<std::int8_t>& codes, real scale);

  // The table of tokens that the parameter `name` is the values of, if that is all that it is used
  // for: null if it is something else, or the head multiplies by it too.
  TokenTable* token_table(const std::string& name);

  std::uint64_t settled_at() const { return bitlab::settled_at(*net_); }

  ParamStore& params() { return params_; }
  const ParamStore& params() const { return params_; }
  const Layer& net() const { return *net_; }
  size_t blocks() const;  // whose output a BlockTap is told
  size_t vocab_size() const { return vocab_size_; }
  size_t seq_len() const { return seq_len_; }

  // FLOPs of one token of training at the model's full length: 6 per multiply-add of a forward
  // pass.
  double train_flops_per_token() const { return 6 * net_->macs_per_row(seq_len_); }

 private:
  LayerPtr net_;
  std::vector<Layer*> leaves_;  // of net_
  ParamStore params_;
  size_t vocab_size_, seq_len_;
};

}  // namespace bitlab
