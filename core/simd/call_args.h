#pragma once
// The sizes and switches of a kernel's arguments, by the type of each: what a call log notes, and
// what the call is made from again.
#include <vector>

#include "core/simd/kernels.h"

namespace bitlab::simd {

using Sizes = std::vector<size_t>;

template <class T>
void note_sizes(Sizes&, const T&) {}  // pointers and scalars
inline void note_sizes(Sizes& to, size_t n) { to.push_back(n); }
inline void note_sizes(Sizes& to, const GemmArgs& a) {
  to = {a.m, a.n, a.k, a.trans_a, a.trans_b, a.beta != 0};
}
inline void note_sizes(Sizes& to, const TernaryGemmArgs& a) { to = {a.m, a.n, a.k}; }
inline void note_sizes(Sizes& to, const AttentionArgs& a) {
  to = {a.batch,   a.seq_len,        a.n_head, a.n_kv_head,  a.d_head,
        a.d_value, a.first_position, a.causal, a.dropout > 0};
}
inline void note_sizes(Sizes& to, const RopeArgs& a) {
  to = {a.rows, a.seq_len, a.heads, a.d_head, a.stride, a.head_stride, a.inverse};
}
inline void note_sizes(Sizes& to, const AdamWArgs& a) { to = {a.n}; }
inline void note_sizes(Sizes& to, const DropoutArgs& a) { to = {a.n}; }

}  // namespace bitlab::simd
