// Part of table.cpp. Softmax attention, forward and backward.

static size_t attention_scratch(const AttentionArgs& args) { return 2 * args.seq_len; }

static void attention_forward(const AttentionArgs& args) {
  const size_t T = args.seq_len, D = args.d_head, H = args.n_head, G = H / args.n_kv_head;
  const size_t width = (H + 2 * args.n_kv_head) * D;
  for (size_t b = 0; b < args.batch; ++b)
    for (size_t h = 0; h < H; ++h)
      for (size_t t = 0; t < T; ++t) {
        const real* q = args.qkv + (b * T + t) * width + h * D;
        const size_t visible = args.causal ? t + 1 : T;
        real* p = args.scratch;
        real top = -INFINITY, sum = 0;
        for (size_t s = 0; s < visible; ++s) {
          const real* k = args.qkv + (b * T + s) * width + (H + h / G) * D;
          p[s] = 0;
          for (size_t d = 0; d < D; ++d) p[s] += q[d] * k[d];
          p[s] *= args.scale;
          top = std::fmax(top, p[s]);
        }
        for (size_t s = 0; s < visible; ++s) sum += p[s] = fast_exp(p[s] - top);
        real* y = args.y + (b * T + t) * H * D + h * D;
        for (size_t d = 0; d < D; ++d) y[d] = 0;
        for (size_t s = 0; s < visible; ++s) {
          const real* v = args.qkv + (b * T + s) * width + (H + args.n_kv_head + h / G) * D;
          for (size_t d = 0; d < D; ++d) y[d] += p[s] / sum * v[d];
        }
        args.lse[(b * H + h) * T + t] = top + std::log(sum);
      }
}

static void attention_backward(const AttentionArgs& args) {
  const size_t T = args.seq_len, D = args.d_head, H = args.n_head, G = H / args.n_kv_head;
  const size_t width = (H + 2 * args.n_kv_head) * D;
  for (size_t i = 0; i < args.batch * T * width; ++i) args.dqkv[i] = 0;
  for (size_t b = 0; b < args.batch; ++b)
    for (size_t h = 0; h < H; ++h)
      for (size_t t = 0; t < T; ++t) {
        const size_t k_at = (H + h / G) * D, v_at = (H + args.n_kv_head + h / G) * D;
        const real* q = args.qkv + (b * T + t) * width + h * D;
        real* dq = args.dqkv + (b * T + t) * width + h * D;
        const real* y = args.y + (b * T + t) * H * D + h * D;
        const real* dy = args.dy + (b * T + t) * H * D + h * D;
        real delta = 0;
        for (size_t d = 0; d < D; ++d) delta += y[d] * dy[d];
        for (size_t s = 0; s < (args.causal ? t + 1 : T); ++s) {
          const real* k = args.qkv + (b * T + s) * width + k_at;
          const real* v = args.qkv + (b * T + s) * width + v_at;
          real* dk = args.dqkv + (b * T + s) * width + k_at;
          real* dv = args.dqkv + (b * T + s) * width + v_at;
          real score = 0, dp = 0;
          for (size_t d = 0; d < D; ++d) score += q[d] * k[d], dp += dy[d] * v[d];
          const real p = fast_exp(score * args.scale - args.lse[(b * H + h) * T + t]);
          const real ds = p * (dp - delta) * args.scale;
          for (size_t d = 0; d < D; ++d) {
            dv[d] += p * dy[d];
            dq[d] += ds * k[d];
            dk[d] += ds * q[d];
          }
        }
      }
}
