// Part of table.cpp. y = (x - mean) w: what is left of LayerNorm without its division.

static void centering_forward(size_t rows, size_t cols, const real* x, const real* w, real* y) {
  for (size_t r = 0; r < rows; ++r) {
    const real* in = x + r * cols;
    real* out = y + r * cols;
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t c = 0; c < cols; ++c) sum += in[c];
    const real mean = sum / static_cast<real>(cols);
#pragma omp simd
    for (size_t c = 0; c < cols; ++c) out[c] = (in[c] - mean) * w[c];
  }
}

// dx = g - mean(g) with g = w dy; dw += dy (x - mean). dx may be dy.
static void centering_backward(
    size_t rows, size_t cols, const real* dy, const real* x, const real* w, real* dx, real* dw) {
  const real inverse = real(1) / static_cast<real>(cols);
  for (size_t r = 0; r < rows; ++r) {
    const real *in = x + r * cols, *grad = dy + r * cols;
    real* out = dx + r * cols;
    real sum = 0, pull = 0;
#pragma omp simd reduction(+ : sum, pull)
    for (size_t c = 0; c < cols; ++c) {
      sum += in[c];
      pull += grad[c] * w[c];
    }
    const real mean = sum * inverse;
    pull *= inverse;
#pragma omp simd
    for (size_t c = 0; c < cols; ++c) {
      dw[c] += grad[c] * (in[c] - mean);
      out[c] = grad[c] * w[c] - pull;
    }
  }
}
