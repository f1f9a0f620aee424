#pragma once
// Tokens to vectors.
#include <string>

#include "core/io/small_floats.h"
#include "layers/layer.h"

namespace bitlab {

// The vectors of tokens, V x C, of which a pass reads one row a token.
class TokenTable {
 public:
  TokenTable(const std::string& name, size_t vocab_size, size_t width, Init init);

  Param& param() { return param_; }
  const Param& param() const { return param_; }
  size_t width() const { return param_.cols; }
  void read(std::int32_t token, real* out) const;  // throws Error for a token that is not below V
  // Reads rows from these values from now on, and no longer from the parameter's, whose memory is
  // given back: for use, not for training. Throws Error if they are not as many.
  void hold(SmallFloats values);

 private:
  Param param_;
  SmallFloats held_;  // instead of the parameter's values, if there are any
};

// y[b, t] = token[tokens[b, t]] + position[t] + type[0]. Reads pass.tokens; its input is not used
// and its input gradient is empty. token: V x C, position: seq_len x C, type: n_types x C, all
// learned. Types tell the two texts of BERT's pairs apart: of single ones all tokens are of the
// first. n_types = 0: there are none.
class Embedding : public Layer {
 public:
  Embedding(size_t vocab_size, size_t seq_len, size_t width, Init init, size_t n_types = 0);

  View forward(View x,
               Pass& pass) const override;  // throws Error for a token >= V or too long a sequence
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string& prefix, const ParamVisitor& visit) override;
  TokenTable* token_table(const std::string& name) override {
    return name == token_.param().name ? &token_ : nullptr;
  }
  std::string describe() const override;

  Param& token_param() { return token_.param(); }

 private:
  TokenTable token_;
  Param position_, type_;  // type_ without columns: none
};

// y[b, t] = weight[tokens[b, t]]: for models whose positions are elsewhere. weight: V x C.
class TokenEmbedding : public Layer {
 public:
  TokenEmbedding(size_t vocab_size, size_t width, Init init);

  View forward(View x, Pass& pass) const override;  // throws Error for a token >= V
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string& prefix, const ParamVisitor& visit) override;
  TokenTable* token_table(const std::string& name) override {
    return name == token_.param().name ? &token_ : nullptr;
  }
  std::string describe() const override;

  Param& token_param() { return token_.param(); }

 private:
  TokenTable token_;
};

}  // namespace bitlab
