// Part of table.cpp. Softmax attention, forward and backward, one block of queries against blocks
// of keys, so that memory grows linearly with seq_len.
//
// Scores are kept transposed, S^T (key, query), queries in the lanes: the softmax over keys then
// needs no sum across lanes. In a causal product an entry above the diagonal is never read, so
// nothing of a future token, not even a NaN, reaches an earlier output. Neither the sizes nor the
// places of blocks depend on the call: neither the batch, nor what follows a token in its sequence,
// nor whether what goes before it comes from a cache, changes a bit of its output.

#include "core/simd/attention_backward.inc.h"
#include "core/simd/attention_decode.inc.h"
#include "core/simd/attention_forward.inc.h"

namespace attention {

static size_t scratch(const AttentionArgs& args) {
  const Plan p(args);
  return (2 * p.rows + 3 * kQueries) * (p.cols + p.v_cols) + 3 * kKeys * kQueries + 2 * kQueries +
         kLanes + (p.T == 1 ? DecodeScratch::size(p) : 0);
}

static void forward(const AttentionArgs& args) {
  Plan p(args);
  const ForwardScratch w(p);
  for (size_t b = 0; b < args.batch; ++b)
    for (size_t h = 0; h < p.H; ++h) {
      Rows k = rows_of(args.k, b, h / p.G), v = rows_of(args.v, b, h / p.G);
      if (!p.direct) {
        if (h % p.G == 0) packed(k, p.S, p.D, p.rows, w.k), packed(v, p.S, p.V, p.rows, w.v);
        k = {w.k, p.cols}, v = {w.v, p.v_cols};
      }
      visit_queries(p, [&](const Block& at) {
        Ahead ahead = fetch_ahead(args, p, false, b, h, at);
        block_forward(args, p, w, b, h, k, v, at, ahead);
      });
    }
}

static void backward(const AttentionArgs& args) {
  Plan p(args);
  const BackwardScratch w(args, p);
  for (size_t b = 0; b < args.batch; ++b)
    for (size_t h = 0; h < p.H; ++h) {
      const size_t group = h / p.G;
      Keys keys{rows_of(args.k, b, group), rows_of(args.v, b, group), rows_of(args.dk, b, group),
                rows_of(args.dv, b, group)};
      const Keys outside = keys;
      if (!p.direct) {
        if (h % p.G == 0)
          packed(keys.k, p.S, p.D, p.rows, w.k), packed(keys.v, p.S, p.V, p.rows, w.v);
        keys = {{w.k, p.cols}, {w.v, p.v_cols}, {w.dk, p.cols}, {w.dv, p.v_cols}};
      }
      visit_queries(p, [&](const Block& at) {
        Ahead ahead = fetch_ahead(args, p, true, b, h, at);
        block_backward(args, p, w, b, h, keys, at, ahead);
      });
      if (p.direct || h % p.G != p.G - 1) continue;
      unpack(w.dk, p.cols, p.S, p.D, outside.dk.data, outside.dk.stride);
      unpack(w.dv, p.v_cols, p.S, p.V, outside.dv.data, outside.dv.stride);
    }
}

}  // namespace attention

static size_t attention_scratch(const AttentionArgs& args) { return attention::scratch(args); }
static void attention_forward(const AttentionArgs& args) { attention::forward(args); }
static void attention_decode(const AttentionArgs& args) { attention::decode(args); }
static void attention_backward(const AttentionArgs& args) { attention::backward(args); }
