#include "layers/mla.h"

#include <cmath>

#include "core/base/error.h"
#include "core/ops/elementwise.h"
#include "core/simd/kernels.h"
#include "layers/kv_cache.h"

namespace bitlab {

Mla::Mla(const MlaShape& shape, MlaParts parts, std::shared_ptr<const RopeTable> rope)
    : shape_(shape),
      parts_(std::move(parts)),
      rope_(std::move(rope)),
      up_(dynamic_cast<const Factored*>(parts_.kv_up.get())) {
  if (!up_)
    throw UsageError(
        "mla",
        "its linear layers must be full or bitlinear, but are '" + parts_.kv_up->describe() + "'",
        "decoding has to absorb the product of weights and activations");
}

simd::AttentionArgs Mla::arguments(const Pass& pass) const {
  AttentionShape shape;
  shape.n_head = shape.n_kv_head = shape_.n_head;
  shape.d_head = d_query();
  shape.scale = 1 / std::sqrt(static_cast<double>(d_query()));
  simd::AttentionArgs args = attention_arguments(shape, pass, "");
  args.d_value = shape_.d_head;
  return args;
}

// The rotary parts of `heads` queries or keys of x, the last d_rope columns of each.
void Mla::rotate(View x, size_t first, size_t heads, const Pass& pass, bool inverse) const {
  rope_rotate(*rope_, x, {first, heads, d_query()}, pass.seq_len, pass.first_position, inverse);
}

// rows x n_head (d_head + d_rope), in a matrix of their own.
View Mla::rotated_queries(View in, Pass& pass) const {
  View q = pass.arena.matrix(in.rows, queries());
  copy_columns(in, 0, q, 0, q.cols);
  if (shape_.q_rank) {
    if (parts_.q_norm) q = parts_.q_norm->forward(q, pass);
    q = parts_.q_up->forward(q, pass);
  }
  rotate(q, shape_.d_head, shape_.n_head, pass, false);
  return q;
}

View Mla::latent(View in, Pass& pass) const {
  const View c = pass.arena.matrix(in.rows, shape_.kv_rank);
  copy_columns(in, queries(), c, 0, c.cols);
  return parts_.kv_norm ? parts_.kv_norm->forward(c, pass) : c;
}

// k of each head, then its copy of the rotary key.
View Mla::joined_keys(View in, View kv, Pass& pass) const {
  const View k = pass.arena.matrix(in.rows, shape_.n_head * d_query());
  for (size_t h = 0; h < shape_.n_head; ++h) {
    copy_columns(kv, h * shape_.d_head, k, h * d_query(), shape_.d_head);
    copy_columns(in, rope_at(), k, h * d_query() + shape_.d_head, shape_.d_rope);
  }
  return k;
}

View Mla::forward(View x, Pass& pass) const {
  const View in = parts_.in->forward(x, pass);
  rotate(in, rope_at(), 1, pass, false);
  const View q = rotated_queries(in, pass);
  const View c = latent(in, pass);
  if (pass.cache) return parts_.wo->forward(attend_absorbed(q, in, c, pass), pass);
  const View kv = parts_.kv_up->forward(c, pass);
  const View k = joined_keys(in, kv, pass);
  return parts_.wo->forward(attend(q, k, kv, pass), pass);
}

View Mla::attend(View q, View k, View kv, Pass& pass) const {
  const View y = pass.arena.matrix(q.rows, shape_.n_head * shape_.d_head);
  const View lse = pass.arena.matrix(pass.batch * shape_.n_head, pass.seq_len);
  simd::AttentionArgs args = arguments(pass);
  args.q = heads_in<const real>(q, pass, 0, d_query());
  args.k = heads_in<const real>(k, pass, 0, d_query());
  args.v = heads_in<const real>(kv, pass, shape_.n_head * shape_.d_head, shape_.d_head);
  args.y = y.data;
  args.lse = lse.data;
  attention_forward(args);
  for (const View& v : {q, k, kv, y, lse}) pass.saved.push(v);
  return y;
}

namespace {

// C = A op(B), rows of each `ld` apart.
void product(size_t m, size_t n, size_t k, View a, bool transposed, View b, View c) {
  simd::kernels().gemm({.trans_b = transposed,
                        .m = m,
                        .n = n,
                        .k = k,
                        .a = a.data,
                        .lda = a.cols,
                        .b = b.data,
                        .ldb = b.cols,
                        .c = c.data,
                        .ldc = c.cols});
}

// The matrix that begins at column `first` of rows as wide as before.
View from_column(View x, size_t first) { return {x.data + first, x.rows, x.cols}; }

}  // namespace

// All heads read one key of kv_rank + d_rope columns, whose first kv_rank are the value too.
View Mla::attend_absorbed(View q, View in, View c, Pass& pass) const {
  const size_t H = shape_.n_head, D = shape_.d_head, C = shape_.kv_rank, R = shape_.d_rope;
  const View w = up_->factor_weights(pass);  // w_k of all heads, then w_v
  const View key = pass.arena.matrix(q.rows, C + R), wide = pass.arena.matrix(q.rows, H * (C + R));
  copy_columns(up_->factor_input(c, pass), 0, key, 0, C);
  copy_columns(in, rope_at(), key, C, R);
  for (size_t h = 0; h < H; ++h) {
    product(q.rows, C, D, from_column(q, h * d_query()), false, {w.row(h * D), D, C},
            from_column(wide, h * (C + R)));
    copy_columns(q, h * d_query() + D, wide, h * (C + R) + C, R);
  }
  const View mixed = pass.arena.matrix(q.rows, H * C);
  const View y = pass.arena.matrix(q.rows, H * D);
  simd::AttentionArgs args = arguments(pass);
  args.n_kv_head = 1;
  args.d_head = C + R;
  args.d_value = C;
  args.q = heads_in<const real>(wide, pass, 0, C + R);
  args.k = args.v = pass.cache->append(*this, 0, key, 0, pass);
  args.y = mixed.data;
  attention_forward(args);
  for (size_t h = 0; h < H; ++h)
    product(q.rows, D, C, from_column(mixed, h * C), true, {w.row((H + h) * D), D, C},
            from_column(y, h * D));
  return y;
}

View Mla::backward(View dy, Pass& pass) const {
  const size_t H = shape_.n_head, D = shape_.d_head, Q = d_query();
  const View dattended = parts_.wo->backward(dy, pass);
  const View lse = pass.saved.pop(), y = pass.saved.pop(), kv = pass.saved.pop(),
             k = pass.saved.pop(), q = pass.saved.pop();
  const View dkv = pass.arena.matrix(kv.rows, kv.cols), dk = pass.arena.matrix(k.rows, k.cols);
  View dq = pass.arena.matrix(q.rows, q.cols);
  simd::AttentionArgs args = arguments(pass);
  args.q = heads_in<const real>(q, pass, 0, Q);
  args.k = heads_in<const real>(k, pass, 0, Q);
  args.v = heads_in<const real>(kv, pass, H * D, D);
  args.y = y.data;
  args.lse = lse.data;
  args.dy = dattended.data;
  args.dq = heads_in<real>(dq, pass, 0, Q);
  args.dk = heads_in<real>(dk, pass, 0, Q);
  args.dv = heads_in<real>(dkv, pass, H * D, D);
  attention_backward(args);

  const View din = pass.arena.matrix(q.rows, rope_at() + shape_.d_rope);
  for (size_t h = 0; h < H; ++h) copy_columns(dk, h * Q, dkv, h * D, D);
  for (size_t r = 0; r < din.rows; ++r)  // the key that all heads shared
    for (size_t i = 0; i < shape_.d_rope; ++i) {
      real sum = 0;
      for (size_t h = 0; h < H; ++h) sum += dk(r, h * Q + D + i);
      din(r, rope_at() + i) = sum;
    }
  const View dc = gradient_of_latent(dkv, pass);
  copy_columns(dc, 0, din, queries(), shape_.kv_rank);
  rotate(dq, D, H, pass, true);
  if (shape_.q_rank) {
    dq = parts_.q_up->backward(dq, pass);
    if (parts_.q_norm) dq = parts_.q_norm->backward(dq, pass);
  }
  copy_columns(dq, 0, din, 0, queries());
  rotate(din, rope_at(), 1, pass, true);
  return parts_.in->backward(din, pass);
}

View Mla::gradient_of_latent(View dkv, Pass& pass) const {
  const View dc = parts_.kv_up->backward(dkv, pass);
  return parts_.kv_norm ? parts_.kv_norm->backward(dc, pass) : dc;
}

template <class Visit>
void Mla::visit_parts(const Visit& visit) const {
  visit("", *parts_.in);
  if (parts_.q_norm) visit("q_norm", *parts_.q_norm);
  if (parts_.q_up) visit("", *parts_.q_up);
  if (parts_.kv_norm) visit("kv_norm", *parts_.kv_norm);
  visit("", *parts_.kv_up);
  visit("", *parts_.wo);
}

void Mla::visit_params(const std::string& prefix, const ParamVisitor& visit) {
  visit_parts(
      [&](const char* name, Layer& part) { part.visit_params(join_name(prefix, name), visit); });
}

void Mla::visit_leaves(const LeafVisitor& visit) {
  visit_parts([&](const char*, Layer& part) { part.visit_leaves(visit); });
}

void Mla::visit_caches(const CacheVisitor& visit) const {
  visit(*this, {{1, shape_.kv_rank + shape_.d_rope}});
}

double Mla::macs_per_row(size_t seq_len) const {
  double macs = static_cast<double>(seq_len * shape_.n_head * (d_query() + shape_.d_head));
  visit_parts([&](const char*, Layer& part) { macs += part.macs_per_row(seq_len); });
  return macs;
}

std::string Mla::describe() const {
  std::string text = "Mla(" + std::to_string(shape_.n_head) + " x " +
                     std::to_string(shape_.d_head) + " + " + std::to_string(shape_.d_rope);
  visit_parts([&](const char*, Layer& part) { text += "; " + part.describe(); });
  return text + ")";
}

}  // namespace bitlab
