#pragma once
// Self-attention.
#include <memory>
#include <string>
#include <vector>

#include "core/ops/attention.h"
#include "core/ops/rope.h"
#include "layers/layer.h"

namespace bitlab {

struct AttentionShape {
  size_t n_head = 1, n_kv_head = 1, d_head = 1;
  double scale = 1;  // of the scores q k^T
  bool causal = true;
  double dropout = 0;  // of the probabilities
};

// Sizes, scale and dropout of a call; the caller adds where the heads lie. Throws Error for a pass
// with sequences of various lengths.
simd::AttentionArgs attention_arguments(const AttentionShape& shape,
                                        const Pass& pass,
                                        const std::string& dropout_key);

// Heads in the rows of a pass's matrix, head_stride apart, from column `first` on.
template <class Real>
simd::Heads<Real> heads_in(View rows, const Pass& pass, size_t first, size_t head_stride) {
  return {rows.data + first, rows.cols, head_stride, pass.seq_len * rows.cols};
}

class SelfAttention;

// Is told what one layer of attention has of a pass that names it (Pass::tap), beside what the
// layer itself does: queries, keys and values, side by side in each row as SelfAttention's qkv
// gives them, rotated where it rotates.
class AttentionTap {
 public:
  explicit AttentionTap(const SelfAttention& layer) : layer_(&layer) {}
  virtual ~AttentionTap() = default;
  bool is_of(const SelfAttention* layer) const { return layer_ == layer; }

  virtual void on_forward(View /*qkv*/, const Pass& /*pass*/) {}
  // dqkv is the gradient by qkv: what is added to it goes on backward.
  virtual void on_backward(View /*qkv*/, View /*dqkv*/, const Pass& /*pass*/) {}

 private:
  const SelfAttention* layer_;
};

// q, k, v = qkv(x);  y = wo(softmax(scale q k^T + mask) v), head by head. No T x T tensor is kept:
// backward computes the probabilities again from the log-sum-exp of each row (FlashAttention, arXiv
// 2205.14135). Without a rope a pass may have sequences of various lengths: there is no padding
// that would have to be masked, or would cost anything.
class SelfAttention : public Layer {
 public:
  // qkv: in -> (n_head + 2 n_kv_head) d_head; wo: n_head d_head -> out. With a rope, of width
  // d_head, q and k are rotated by their positions.
  SelfAttention(const AttentionShape& shape,
                LayerPtr qkv,
                LayerPtr wo,
                std::string dropout_key,
                std::shared_ptr<const RopeTable> rope = nullptr);

  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string& prefix, const ParamVisitor& visit) override;
  void visit_leaves(const LeafVisitor& visit) override;
  void visit_caches(const CacheVisitor& visit) const override;
  double macs_per_row(size_t seq_len) const override;
  std::string describe() const override;
  const AttentionShape& shape() const { return shape_; }

 private:
  void rotate(View qkv, const Pass& pass, bool inverse) const;
  simd::AttentionArgs arguments(View qkv, View y, View lse, const Pass& pass) const;
  size_t keys() const { return shape_.n_head * shape_.d_head; }  // first column of k
  size_t values() const { return keys() + shape_.n_kv_head * shape_.d_head; }

  AttentionShape shape_;
  LayerPtr qkv_, wo_;
  std::string dropout_key_;
  std::shared_ptr<const RopeTable> rope_;
};

// Those below, in the order of forward.
std::vector<const SelfAttention*> self_attention_layers(const Layer& net);

}  // namespace bitlab
