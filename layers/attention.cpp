#include "layers/attention.h"

#include "core/base/rng.h"
#include "layers/kv_cache.h"

namespace bitlab {

simd::AttentionArgs attention_arguments(const AttentionShape& shape,
                                        const Pass& pass,
                                        const std::string& dropout_key) {
  simd::AttentionArgs args;
  args.batch = pass.batch;
  args.seq_len = pass.seq_len;
  args.n_head = shape.n_head;
  args.n_kv_head = shape.n_kv_head;
  args.d_head = args.d_value = shape.d_head;
  args.scale = static_cast<real>(shape.scale);
  args.causal = shape.causal;
  args.first_position = pass.cache ? pass.first_position : 0;
  args.padded = pass.cache != nullptr;
  if (pass.training && shape.dropout > 0) {
    args.dropout = static_cast<real>(shape.dropout);
    args.key = Rng(pass.seed, dropout_key).bits(pass.step, 0);
    args.first_sequence = pass.first_row / pass.seq_len;
  }
  return args;
}

SelfAttention::SelfAttention(const AttentionShape& shape,
                             LayerPtr qkv,
                             LayerPtr wo,
                             std::string dropout_key,
                             std::shared_ptr<const RopeTable> rope)
    : shape_(shape),
      qkv_(std::move(qkv)),
      wo_(std::move(wo)),
      dropout_key_(std::move(dropout_key)),
      rope_(std::move(rope)) {}

// The queries and keys of a row are neighbours: one loop turns both.
void SelfAttention::rotate(View qkv, const Pass& pass, bool inverse) const {
  if (!rope_) return;
  rope_rotate(*rope_, qkv, {0, shape_.n_head + shape_.n_kv_head, shape_.d_head}, pass.seq_len,
              pass.first_position, inverse);
}

View SelfAttention::forward(View x, Pass& pass) const {
  const View qkv = qkv_->forward(x, pass);
  rotate(qkv, pass, false);
  const View y = pass.arena.matrix(x.rows, keys());
  simd::AttentionArgs args = attention_arguments(shape_, pass, dropout_key_);
  args.q = heads_in<const real>(qkv, pass, 0, shape_.d_head);
  args.y = y.data;
  if (pass.cache) {
    args.k = pass.cache->append(*this, 0, qkv, keys(), pass);
    args.v = pass.cache->append(*this, 1, qkv, values(), pass);
    attention_forward(args);
    return wo_->forward(y, pass);
  }
  const View lse = pass.arena.matrix(pass.batch * shape_.n_head, pass.seq_len);
  args.k = heads_in<const real>(qkv, pass, keys(), shape_.d_head);
  args.v = heads_in<const real>(qkv, pass, values(), shape_.d_head);
  args.lse = lse.data;
  attention_forward(args);
  pass.saved.push(qkv);
  pass.saved.push(y);
  pass.saved.push(lse);
  return wo_->forward(y, pass);
}

void SelfAttention::visit_caches(const CacheVisitor& visit) const {
  const CacheStream stream{shape_.n_kv_head, shape_.d_head};
  visit(*this, {stream, stream});
}

View SelfAttention::backward(View dy, Pass& pass) const {
  const View dattended = wo_->backward(dy, pass);
  const View lse = pass.saved.pop(), y = pass.saved.pop(), qkv = pass.saved.pop();
  const View dqkv = pass.arena.matrix(qkv.rows, qkv.cols);
  simd::AttentionArgs args = attention_arguments(shape_, pass, dropout_key_);
  args.q = heads_in<const real>(qkv, pass, 0, shape_.d_head);
  args.k = heads_in<const real>(qkv, pass, keys(), shape_.d_head);
  args.v = heads_in<const real>(qkv, pass, values(), shape_.d_head);
  args.y = y.data;
  args.lse = lse.data;
  args.dy = dattended.data;
  args.dq = heads_in<real>(dqkv, pass, 0, shape_.d_head);
  args.dk = heads_in<real>(dqkv, pass, keys(), shape_.d_head);
  args.dv = heads_in<real>(dqkv, pass, values(), shape_.d_head);
  attention_backward(args);
  rotate(dqkv, pass, true);
  return qkv_->backward(dqkv, pass);
}

void SelfAttention::visit_params(const std::string& prefix, const ParamVisitor& visit) {
  qkv_->visit_params(prefix, visit);
  wo_->visit_params(prefix, visit);
}

void SelfAttention::visit_leaves(const LeafVisitor& visit) {
  qkv_->visit_leaves(visit);
  wo_->visit_leaves(visit);
}

// q k^T and p v: seq_len x d_head each for every head, counted without the causal half that is
// skipped (the convention of PaLM, arXiv 2204.02311 appendix B, so that figures compare with other
// tools').
double SelfAttention::macs_per_row(size_t seq_len) const {
  return qkv_->macs_per_row(seq_len) + wo_->macs_per_row(seq_len) +
         2.0 * static_cast<double>(seq_len * shape_.n_head * shape_.d_head);
}

std::string SelfAttention::describe() const {
  return "SelfAttention(" + std::to_string(shape_.n_head) + " x " + std::to_string(shape_.d_head) +
         "; " + qkv_->describe() + "; " + wo_->describe() + ")";
}

}  // namespace bitlab
