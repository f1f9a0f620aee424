// Part of table.cpp. Rotary position embedding, in place.

static void rope(const RopeArgs& args) {
  const size_t half = args.d_head / 2;
  for (size_t r = 0; r < args.rows; ++r) {
    const real* cosine = args.table + (args.first_position + r % args.seq_len) * args.d_head;
    const real* sine = cosine + half;
    for (size_t h = 0; h < args.heads; ++h) {
      real *low = args.x + r * args.stride + h * args.head_stride, *high = low + half;
#pragma omp simd
      for (size_t i = 0; i < half; ++i) {
        const real s = args.inverse ? -sine[i] : sine[i];
        const real a = low[i], b = high[i];
        low[i] = a * cosine[i] - b * s;
        high[i] = b * cosine[i] + a * s;
      }
    }
  }
}
