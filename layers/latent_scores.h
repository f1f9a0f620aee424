#pragma once
// Attention whose scores are taken between compressed queries and keys, as chetanreddyv/bitnet700
// has it (it calls this MLA; DeepSeek's is in mla.h).
#include <memory>
#include <string>

#include "core/ops/rope.h"
#include "layers/attention.h"

namespace bitlab {

// q, k, v = qkv(x), q and k rotated;  q' = latent_q(q), k' = latent_k(k), head by head with the
// same weights for all heads;  y = wo(softmax(scale q' k'^T + mask) v). A cache holds k' and v.
class LatentScores : public Layer {
 public:
  // latent_q, latent_k: d_head -> d_latent. shape.d_head is that of q, k and v.
  LatentScores(const AttentionShape& shape,
               size_t d_latent,
               LayerPtr qkv,
               LayerPtr latent_q,
               LayerPtr latent_k,
               LayerPtr wo,
               std::shared_ptr<const RopeTable> rope);

  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string& prefix, const ParamVisitor& visit) override;
  void visit_leaves(const LeafVisitor& visit) override;
  void visit_caches(const CacheVisitor& visit) const override;
  double macs_per_row(size_t seq_len) const override;
  std::string describe() const override;

 private:
  simd::AttentionArgs arguments(const Pass& pass, View q) const;
  View dense_heads(View qkv, size_t first, size_t heads, Pass& pass) const;
  size_t keys() const { return shape_.n_head * shape_.d_head; }
  size_t values() const { return keys() + shape_.n_kv_head * shape_.d_head; }

  AttentionShape shape_;
  size_t d_latent_;
  LayerPtr qkv_, latent_q_, latent_k_, wo_;
  std::shared_ptr<const RopeTable> rope_;
};

}  // namespace bitlab
