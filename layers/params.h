#pragma once
// The parameters of a model in one flat buffer, and gradients of the same layout.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/base/address_space.h"
#include "core/tensor/tensor.h"
#include "layers/layer.h"

namespace bitlab {

// Owns the values of all parameters of a layer tree, one after the other in the order of
// visit_params. A parameter that is visited twice (tied) is stored once, under the first name.
// Binding gives each Param its full name, its place and its memory, which is zero and takes no
// pages before it is written: latent weights of a model that has codes alone cost nothing.
class ParamStore {
 public:
  explicit ParamStore(Layer& net);  // throws Error if two parameters share a name
  ParamStore(const ParamStore&) = delete;
  ParamStore& operator=(const ParamStore&) = delete;

  // For a caller that is about to write all of them: in huge pages.
  void expect_all();

  // Fills every parameter from its Init, keyed by (seed, full name).
  void initialise(std::uint64_t seed);

  const std::vector<Param*>& params() const { return params_; }
  View values() { return values_; }  // 1 x size
  size_t size() const { return values_.size(); }
  size_t ternary_size() const;  // of the latent weights of ternary layers

 private:
  std::vector<Param*> params_;
  AddressSpace memory_;
  View values_;
};

// Gradients of all parameters of a store.
class Gradients {
 public:
  explicit Gradients(size_t size) : own_(make_zeros(size)), values_(view(own_)) {}
  explicit Gradients(View memory) : values_(memory) {}  // somebody else's, 1 x size
  Gradients(const Gradients&) = delete;
  Gradients& operator=(const Gradients&) = delete;

  void clear() { std::fill_n(values_.data, values_.size(), real(0)); }
  View of(const Param& p) { return {values_.data + p.offset, p.rows, p.cols}; }
  View values() { return values_; }

 private:
  Tensor<1> own_;
  View values_;
};

}  // namespace bitlab
