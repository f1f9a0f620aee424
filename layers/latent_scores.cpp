#include "layers/latent_scores.h"

#include "core/ops/elementwise.h"
#include "layers/kv_cache.h"

namespace bitlab {

LatentScores::LatentScores(const AttentionShape& shape,
                           size_t d_latent,
                           LayerPtr qkv,
                           LayerPtr latent_q,
                           LayerPtr latent_k,
                           LayerPtr wo,
                           std::shared_ptr<const RopeTable> rope)
    : shape_(shape),
      d_latent_(d_latent),
      qkv_(std::move(qkv)),
      latent_q_(std::move(latent_q)),
      latent_k_(std::move(latent_k)),
      wo_(std::move(wo)),
      rope_(std::move(rope)) {}

// (rows * heads) x d_head: a row for each head, so that one layer serves them all.
View LatentScores::dense_heads(View qkv, size_t first, size_t heads, Pass& pass) const {
  const View dense = pass.arena.matrix(qkv.rows, heads * shape_.d_head);
  copy_columns(qkv, first, dense, 0, dense.cols);
  return {dense.data, qkv.rows * heads, shape_.d_head};
}

simd::AttentionArgs LatentScores::arguments(const Pass& pass, View q) const {
  simd::AttentionArgs args = attention_arguments(shape_, pass, "");
  args.d_head = d_latent_;
  args.q = heads_in<const real>(q, pass, 0, d_latent_);
  return args;
}

View LatentScores::forward(View x, Pass& pass) const {
  const View qkv = qkv_->forward(x, pass);
  const size_t H = shape_.n_head, K = shape_.n_kv_head;
  rope_rotate(*rope_, qkv, {0, H + K, shape_.d_head}, pass.seq_len, pass.first_position, false);
  View q = latent_q_->forward(dense_heads(qkv, 0, H, pass), pass);
  View k = latent_k_->forward(dense_heads(qkv, keys(), K, pass), pass);
  q = {q.data, x.rows, H * d_latent_};
  k = {k.data, x.rows, K * d_latent_};
  const View y = pass.arena.matrix(x.rows, H * shape_.d_head);
  simd::AttentionArgs args = arguments(pass, q);
  args.y = y.data;
  if (pass.cache) {
    args.k = pass.cache->append(*this, 0, k, 0, pass);
    args.v = pass.cache->append(*this, 1, qkv, values(), pass);
    attention_forward(args);
    return wo_->forward(y, pass);
  }
  const View lse = pass.arena.matrix(pass.batch * H, pass.seq_len);
  args.k = heads_in<const real>(k, pass, 0, d_latent_);
  args.v = heads_in<const real>(qkv, pass, values(), shape_.d_head);
  args.lse = lse.data;
  attention_forward(args);
  for (const View& v : {qkv, q, k, y, lse}) pass.saved.push(v);
  return wo_->forward(y, pass);
}

View LatentScores::backward(View dy, Pass& pass) const {
  const View dattended = wo_->backward(dy, pass);
  const View lse = pass.saved.pop(), y = pass.saved.pop(), k = pass.saved.pop(),
             q = pass.saved.pop(), qkv = pass.saved.pop();
  const View dqkv = pass.arena.matrix(qkv.rows, qkv.cols);
  const View dq = pass.arena.matrix(q.rows, q.cols), dk = pass.arena.matrix(k.rows, k.cols);
  simd::AttentionArgs args = arguments(pass, q);
  args.k = heads_in<const real>(k, pass, 0, d_latent_);
  args.v = heads_in<const real>(qkv, pass, values(), shape_.d_head);
  args.y = y.data;
  args.lse = lse.data;
  args.dy = dattended.data;
  args.dq = heads_in<real>(dq, pass, 0, d_latent_);
  args.dk = heads_in<real>(dk, pass, 0, d_latent_);
  args.dv = heads_in<real>(dqkv, pass, values(), shape_.d_head);
  attention_backward(args);
  const size_t H = shape_.n_head, K = shape_.n_kv_head, D = shape_.d_head;
  const View dkeys = latent_k_->backward({dk.data, dk.rows * K, d_latent_}, pass);
  copy_columns({dkeys.data, qkv.rows, K * D}, 0, dqkv, keys(), K * D);
  const View dqueries = latent_q_->backward({dq.data, dq.rows * H, d_latent_}, pass);
  copy_columns({dqueries.data, qkv.rows, H * D}, 0, dqkv, 0, H * D);
  rope_rotate(*rope_, dqkv, {0, H + K, D}, pass.seq_len, pass.first_position, true);
  return qkv_->backward(dqkv, pass);
}

void LatentScores::visit_params(const std::string& prefix, const ParamVisitor& visit) {
  for (const LayerPtr* layer : {&qkv_, &latent_q_, &latent_k_, &wo_})
    (*layer)->visit_params(prefix, visit);
}

void LatentScores::visit_leaves(const LeafVisitor& visit) {
  for (const LayerPtr* layer : {&qkv_, &latent_q_, &latent_k_, &wo_}) (*layer)->visit_leaves(visit);
}

void LatentScores::visit_caches(const CacheVisitor& visit) const {
  visit(*this, {{shape_.n_kv_head, d_latent_}, {shape_.n_kv_head, shape_.d_head}});
}

double LatentScores::macs_per_row(size_t seq_len) const {
  const auto heads = static_cast<double>(shape_.n_head);
  const auto kv_heads = static_cast<double>(shape_.n_kv_head);
  return qkv_->macs_per_row(seq_len) + heads * latent_q_->macs_per_row(seq_len) +
         kv_heads * latent_k_->macs_per_row(seq_len) + wo_->macs_per_row(seq_len) +
         static_cast<double>(seq_len) * heads * static_cast<double>(d_latent_ + shape_.d_head);
}

std::string LatentScores::describe() const {
  return "LatentScores(" + std::to_string(shape_.n_head) + " x " + std::to_string(shape_.d_head) +
         ", scores over " + std::to_string(d_latent_) + "; " + qkv_->describe() + "; " +
         latent_q_->describe() + "; " + latent_k_->describe() + "; " + wo_->describe() + ")";
}

}  // namespace bitlab
