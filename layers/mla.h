#pragma once
// Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434, section 2.1).
#include <memory>
#include <string>

#include "core/ops/rope.h"
#include "layers/attention.h"
#include "layers/linear.h"

namespace bitlab {

struct MlaShape {
  size_t n_head = 1;
  size_t d_head = 1;   // of a head's content: keys without their rotary part, and values
  size_t d_rope = 2;   // rotary part of a query and of the key that all heads share
  size_t kv_rank = 1;  // of the latent that keys and values are made of
  size_t q_rank = 0;   // of the latent that queries are made of; 0: they are made of x
};

// What it is made of. Keys and values come from one latent c of each position:
//   q | c | r = in(x)           q: n_head (d_head + d_rope), or q_rank and then q_up(q_norm(q))
//   k | v     = kv_up(kv_norm(c))
//   head h: softmax((q_h . (k_h | rope(r))) / sqrt(d_head + d_rope)) v_h, q_h's last d_rope rotated
//   y = wo(all heads)
struct MlaParts {
  LayerPtr in;
  LayerPtr q_norm, q_up;    // null if q_rank is 0; q_norm may be null
  LayerPtr kv_norm, kv_up;  // kv_up is Factored; kv_norm may be null
  LayerPtr wo;
};

// A cache holds what kv_up multiplies, and rope(r): kv_rank + d_rope reals a position for all
// heads. With a cache kv_up is absorbed (section 2.1.2): q_h k_h = (q_h w_k) . c and sum p v_h =
// (sum p c) w_v^T, so that keys and values are never made. That is the same up to rounding.
class Mla : public Layer {
 public:
  // Throws UsageError if kv_up is not Factored.
  Mla(const MlaShape& shape, MlaParts parts, std::shared_ptr<const RopeTable> rope);

  View forward(View x, Pass& pass) const override;
  View backward(View dy, Pass& pass) const override;
  void visit_params(const std::string& prefix, const ParamVisitor& visit) override;
  void visit_leaves(const LeafVisitor& visit) override;
  void visit_caches(const CacheVisitor& visit) const override;
  double macs_per_row(size_t seq_len) const override;
  std::string describe() const override;

 private:
  View rotated_queries(View in, Pass& pass) const;
  View latent(View in, Pass& pass) const;
  View joined_keys(View in, View kv, Pass& pass) const;
  View attend(View q, View k, View kv, Pass& pass) const;
  View attend_absorbed(View q, View in, View c, Pass& pass) const;
  View gradient_of_latent(View dkv, Pass& pass) const;
  simd::AttentionArgs arguments(const Pass& pass) const;
  void rotate(View x, size_t first, size_t heads, const Pass& pass, bool inverse) const;
  template <class Visit>
  void visit_parts(const Visit& visit) const;

  size_t d_query() const { return shape_.d_head + shape_.d_rope; }
  size_t queries() const { return shape_.q_rank ? shape_.q_rank : shape_.n_head * d_query(); }
  size_t rope_at() const { return queries() + shape_.kv_rank; }  // first column of r

  MlaShape shape_;
  MlaParts parts_;
  std::shared_ptr<const RopeTable> rope_;
  const Factored* up_;  // kv_up
};

}  // namespace bitlab
