#include "layers/attention.h"

#include "core/base/error.h"
#include "core/base/rng.h"
#include "layers/kv_cache.h"

namespace bitlab {

namespace {

simd::AttentionArgs sized_arguments(const AttentionShape& shape,
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

// The heads of sequences that begin `rows` further on and are `length` long.
template <class Real>
void move(simd::Heads<Real>& heads, size_t rows, size_t length) {
  heads.data += rows * heads.row;
  heads.sequence = length * heads.row;
}

// Calls compute(args) for neighbours of one length at a time: once if all have the same.
template <class Compute>
void by_length(const simd::AttentionArgs& all, const Pass& pass, const Compute& compute) {
  if (!pass.begins) return compute(all);
  for (size_t first = 0, end = 0; first < pass.batch; first = end) {
    const size_t length = pass.length_of(first), row = pass.begin_of(first);
    while (end < pass.batch && pass.length_of(end) == length) ++end;
    simd::AttentionArgs args = all;
    args.batch = end - first;
    args.seq_len = length;
    args.first_sequence += first;
    for (auto* heads : {&args.q, &args.k, &args.v}) move(*heads, row, length);
    args.y += row * all.n_head * all.d_value;
    args.lse += row * all.n_head;
    if (args.dy) {
      for (auto* heads : {&args.dq, &args.dk, &args.dv}) move(*heads, row, length);
      args.dy += row * all.n_head * all.d_value;
    }
    compute(args);
  }
}

}  // namespace

simd::AttentionArgs attention_arguments(const AttentionShape& shape,
                                        const Pass& pass,
                                        const std::string& dropout_key) {
  if (pass.begins)
    throw Error("attention",
                "sequences must have the same length in this kind of attention, but differ");
  return sized_arguments(shape, pass, dropout_key);
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
  if (pass.begins)
    throw Error("attention",
                "sequences must have the same length for rotary positions, but differ");
  rope_rotate(*rope_, qkv, {0, shape_.n_head + shape_.n_kv_head, shape_.d_head}, pass.seq_len,
              pass.first_position, inverse);
}

simd::AttentionArgs SelfAttention::arguments(View qkv, View y, View lse, const Pass& pass) const {
  simd::AttentionArgs args = sized_arguments(shape_, pass, dropout_key_);
  args.q = heads_in<const real>(qkv, pass, 0, shape_.d_head);
  args.k = heads_in<const real>(qkv, pass, keys(), shape_.d_head);
  args.v = heads_in<const real>(qkv, pass, values(), shape_.d_head);
  args.y = y.data;
  args.lse = lse.data;
  return args;
}

View SelfAttention::forward(View x, Pass& pass) const {
  const View qkv = qkv_->forward(x, pass);
  rotate(qkv, pass, false);
  if (pass.tap && pass.tap->is_of(this)) pass.tap->on_forward(qkv, pass);
  const View y = pass.arena.matrix(x.rows, keys());
  if (pass.cache) {
    simd::AttentionArgs args = arguments(qkv, y, {}, pass);
    args.k = pass.cache->append(*this, 0, qkv, keys(), pass);
    args.v = pass.cache->append(*this, 1, qkv, values(), pass);
    attention_forward(args);
    return wo_->forward(y, pass);
  }
  const View lse = pass.arena.matrix(shape_.n_head, x.rows);
  by_length(arguments(qkv, y, lse, pass), pass, attention_forward);
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
  simd::AttentionArgs args = arguments(qkv, y, lse, pass);
  args.dy = dattended.data;
  args.dq = heads_in<real>(dqkv, pass, 0, shape_.d_head);
  args.dk = heads_in<real>(dqkv, pass, keys(), shape_.d_head);
  args.dv = heads_in<real>(dqkv, pass, values(), shape_.d_head);
  by_length(args, pass, attention_backward);
  if (pass.tap && pass.tap->is_of(this)) pass.tap->on_backward(qkv, dqkv, pass);
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

std::vector<const SelfAttention*> self_attention_layers(const Layer& net) {
  std::vector<const SelfAttention*> all;
  net.visit_caches([&](const Layer& layer, const std::vector<CacheStream>&) {
    if (const auto* attention = dynamic_cast<const SelfAttention*>(&layer))
      all.push_back(attention);
  });
  return all;
}

std::string SelfAttention::describe() const {
  return "SelfAttention(" + std::to_string(shape_.n_head) + " x " + std::to_string(shape_.d_head) +
         "; " + qkv_->describe() + "; " + wo_->describe() + ")";
}

}  // namespace bitlab
