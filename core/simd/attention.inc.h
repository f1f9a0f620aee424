// Part of table.cpp. Softmax attention, forward and backward, one block of queries against blocks
// of keys, so that memory grows linearly with seq_len.
//
// Scores are kept transposed, S^T (key, query), queries in the lanes: the softmax over keys then
// needs no sum across lanes. In a causal product an entry above the diagonal is never read, so
// nothing of a future token, not even a NaN, reaches an earlier output. Block sizes do not depend
// on the call: neither the batch nor what follows a token in its sequence changes a bit of its
// output.

#include "core/simd/attention_backward.inc.h"
#include "core/simd/attention_forward.inc.h"

namespace attention {

static size_t scratch(const AttentionArgs& args) {
  const Plan p(args);
  return 4 * p.rows * p.cols + 5 * kQueries * p.cols + 3 * kKeys * kQueries + 2 * kQueries + kLanes;
}

static void forward(const AttentionArgs& args) {
  Plan p(args);
  const ForwardScratch w(p);
  for (size_t b = 0; b < args.batch; ++b)
    for (size_t h = 0; h < p.H; ++h) {
      const HeadAt here(p, b, h);
      Rows k = rows_of(args.qkv + here.k, p.width), v = rows_of(args.qkv + here.v, p.width);
      if (!p.direct) {
        if (h % p.G == 0) packed(p, k, p.T, p.rows, w.k), packed(p, v, p.T, p.rows, w.v);
        k = {w.k, p.cols}, v = {w.v, p.cols};
      }
      for (Block at{0, 0, 0, 0}; at.query < p.T; at.query += kQueries) {
        at.query_count = p.T - at.query < kQueries ? p.T - at.query : kQueries;
        Ahead ahead = fetch_ahead(args, p, false, b, h, at);
        block_forward(args, p, w, b, h, k, v, at, ahead);
      }
    }
}

static void backward(const AttentionArgs& args) {
  Plan p(args);
  const BackwardScratch w(args, p);
  for (size_t b = 0; b < args.batch; ++b)
    for (size_t h = 0; h < p.H; ++h) {
      const HeadAt here(p, b, h);
      Keys keys{rows_of(args.qkv + here.k, p.width),
                rows_of(args.qkv + here.v, p.width),
                {args.dqkv + here.k, p.width},
                {args.dqkv + here.v, p.width}};
      const Keys outside = keys;
      if (!p.direct) {
        if (h % p.G == 0) packed(p, keys.k, p.T, p.rows, w.k), packed(p, keys.v, p.T, p.rows, w.v);
        keys = {{w.k, p.cols}, {w.v, p.cols}, {w.dk, p.cols}, {w.dv, p.cols}};
      }
      for (Block at{0, 0, 0, 0}; at.query < p.T; at.query += kQueries) {
        at.query_count = p.T - at.query < kQueries ? p.T - at.query : kQueries;
        Ahead ahead = fetch_ahead(args, p, true, b, h, at);
        block_backward(args, p, w, b, h, keys, at, ahead);
      }
      if (p.direct || h % p.G != p.G - 1) continue;
      unpack(w.dk, p.cols, p.T, p.D, outside.dk.data, p.width);
      unpack(w.dv, p.cols, p.T, p.D, outside.dv.data, p.width);
    }
}

}  // namespace attention

static size_t attention_scratch(const AttentionArgs& args) { return attention::scratch(args); }
static void attention_forward(const AttentionArgs& args) { attention::forward(args); }
static void attention_backward(const AttentionArgs& args) { attention::backward(args); }
