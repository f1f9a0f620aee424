#pragma once
// The contract of everything with a forward and a backward. See docs/architecture.md, "Layers".
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor/view.h"
#include "layers/saved.h"

namespace bitlab {

class TokenTable;
struct WeightQuantizer;

// How a parameter starts. The stream is keyed by the parameter's full name, so that two models that
// share a name, a shape and a seed start with the same values there.
struct Init {
  enum class Kind { Zeros, Ones, Normal, KaimingUniform };
  Kind kind = Kind::Zeros;
  double std = 0;  // Normal only
};

// One named tensor that training changes. Its memory belongs to a ParamStore (params.h).
struct Param {
  std::string name;  // dotted; relative to its layer until a ParamStore binds it, then full
  size_t rows = 1;
  size_t cols = 0;
  Init init;
  bool decay = true;     // weight decay applies
  bool ternary = false;  // the latent weights of a ternary layer
  View value;            // bound by ParamStore
  size_t offset = 0;     // of its first value in the store's flat buffer, and in every Gradients

  size_t size() const { return rows * cols; }
};

using ParamVisitor = std::function<void(const std::string& prefix, Param& param)>;

// What a layer with ternary weights can report of one weight matrix.
struct TernaryStats {
  std::string name;                      // full name of the latent parameter
  double minus = 0, zero = 0, plus = 0;  // fractions, they sum to 1
  double scale = 0;                      // what a code of +1 stands for
  size_t rows = 0, cols = 0;
  const std::int8_t* codes = nullptr;  // rows x cols in {-1, 0, 1}, as long as the visit lasts
  std::function<std::vector<real>()>
      effective;  // rows x cols: what forward and backward multiply by; as long as the visit lasts
  const WeightQuantizer* quantizer = nullptr;  // what made the codes of latent weights

  size_t size() const { return rows * cols; }
};

// What a layer keeps of every position in a KvCache: `heads` rows of `width` reals.
struct CacheStream {
  size_t heads = 0, width = 0;
};

class Layer;
using CacheVisitor =
    std::function<void(const Layer& layer, const std::vector<CacheStream>& streams)>;
using LeafVisitor = std::function<void(Layer&)>;
using TernaryVisitor = std::function<void(const TernaryStats& stats)>;

// One part of a model. Immutable in forward and backward: several threads may run the same layer at
// once, each with its own Pass. What backward needs travels in the Pass.
class Layer {
 public:
  virtual ~Layer() = default;

  // x: (batch * seq_len) x in  ->  (batch * seq_len) x out. Keeps in pass.saved what backward
  // needs. x stays as it is, and must stay so until backward if the layer keeps it.
  virtual View forward(View x, Pass& pass) const = 0;

  // dy: gradient of the output  ->  gradient of the input. Adds to pass.gradients what is due to
  // the parameters. dy is spent: the layer may overwrite it or return it. Layers run backward in
  // the exact reverse order of their forwards, so pass.saved works as a stack.
  virtual View backward(View dy, Pass& pass) const = 0;

  virtual void visit_params(const std::string& prefix, const ParamVisitor& visit) = 0;

  // Calls visit for every layer below that is not made of others: itself, if it is such.
  virtual void visit_leaves(const LeafVisitor& visit) { visit(*this); }

  // Calls visit for every layer below that keeps something in a KvCache: itself, if it does.
  virtual void visit_caches(const CacheVisitor& /*visit*/) const {}

  // Of a leaf: prepares what depends on weights alone (ternary codes, scales) for optimiser step
  // `step`. Called after the weights were set or changed, before the next forward; never during
  // one. Leaves are prepared one by one, on several threads.
  virtual void prepare(std::uint64_t /*step*/) {}

  // Of a leaf: has passes go the way of optimiser step `step` as prepare() does, but without a look
  // at the weights: for rehearsals.
  virtual void set_step(std::uint64_t /*step*/) {}

  // Of a leaf: the optimiser step from which on all passes go the same way.
  virtual std::uint64_t settled_at() const { return 0; }

  // Of a leaf: bytes that prepare() makes of the weights and the layer keeps.
  virtual size_t buffer_bytes() const { return 0; }

  // Multiply-adds of matrix products for one row (token) of a forward pass at this sequence length.
  // A training step costs 6 times as many FLOPs: 2 for forward, 4 for the two products of backward.
  virtual double macs_per_row(size_t /*seq_len*/) const { return 0; }

  // Of a leaf: calls visit for each of its ternary weight matrices, as prepared.
  virtual void visit_ternary(const TernaryVisitor& /*visit*/) const {}

  // Of a leaf: gives the ternary weight matrix `name` (full name of its latent parameter) fixed
  // codes and a scale, which the latent weights no longer change: a packed model has no latent
  // weights. Once for each matrix; takes effect at the next prepare(). Returns whether the matrix
  // is one of this layer's.
  virtual bool fix_ternary(const std::string& /*name*/,
                           const std::vector<std::int8_t>& /*codes*/,
                           real /*scale*/) {
    return false;
  }

  // Of a leaf: the table of tokens that the parameter `name` (its full name) is the values of; null
  // if it is none of this layer's.
  virtual TokenTable* token_table(const std::string& /*name*/) { return nullptr; }

  // One line: "BitLinear 256 -> 1024, absmean ternary, int8 activations".
  virtual std::string describe() const = 0;
};

using LayerPtr = std::unique_ptr<Layer>;

// Calls visit as visit_params does, but once for a parameter that comes twice (tied), under the
// first name. The net need not be bound.
void visit_distinct_params(Layer& net, const ParamVisitor& visit);

// "a" + "b" -> "a.b"; an empty part adds nothing.
inline std::string join_name(const std::string& prefix, const std::string& name) {
  return prefix + (prefix.empty() || name.empty() ? "" : ".") + name;
}

}  // namespace bitlab
