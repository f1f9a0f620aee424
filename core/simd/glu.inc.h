// Part of table.cpp. Gated activations. A row of gu is gate | up, `cols` of each; backward writes
// its gradient over gu.

// h = silu(gate) up, silu(x) = x sigmoid(x)  (SwiGLU, arXiv 2002.05202).
static void swiglu_forward(size_t rows, size_t cols, const real* gu, real* h) {
  for (size_t r = 0; r < rows; ++r) {
    const real *gate = gu + 2 * r * cols, *up = gate + cols;
    real* out = h + r * cols;
#pragma omp simd
    for (size_t c = 0; c < cols; ++c) out[c] = gate[c] / (real(1) + fast_exp(-gate[c])) * up[c];
  }
}

// dgate = dh up s (1 + gate (1 - s)), dup = dh gate s, s = sigmoid(gate).
static void swiglu_backward(size_t rows, size_t cols, const real* dh, real* gu) {
  for (size_t r = 0; r < rows; ++r) {
    real *gate = gu + 2 * r * cols, *up = gate + cols;
    const real* grad = dh + r * cols;
#pragma omp simd
    for (size_t c = 0; c < cols; ++c) {
      const real g = gate[c], s = real(1) / (real(1) + fast_exp(-g));
      const real dgate = grad[c] * up[c] * s * (real(1) + g * (real(1) - s));
      up[c] = grad[c] * g * s;
      gate[c] = dgate;
    }
  }
}

// h = relu(gate)^2 up  (b1.58 2B4T, arXiv 2504.12285).
static void relu2_glu_forward(size_t rows, size_t cols, const real* gu, real* h) {
  for (size_t r = 0; r < rows; ++r) {
    const real *gate = gu + 2 * r * cols, *up = gate + cols;
    real* out = h + r * cols;
#pragma omp simd
    for (size_t c = 0; c < cols; ++c) {
      const real g = gate[c] < 0 ? real(0) : gate[c];  // NaN stays
      out[c] = g * g * up[c];
    }
  }
}

static void relu2_glu_backward(size_t rows, size_t cols, const real* dh, real* gu) {
  for (size_t r = 0; r < rows; ++r) {
    real *gate = gu + 2 * r * cols, *up = gate + cols;
    const real* grad = dh + r * cols;
#pragma omp simd
    for (size_t c = 0; c < cols; ++c) {
      const real g = gate[c] < 0 ? real(0) : gate[c];
      const real dgate = real(2) * grad[c] * g * up[c];
      up[c] = grad[c] * g * g;
      gate[c] = dgate;
    }
  }
}

// y = relu(x)^2; dy *= 2 relu(x).
static void relu2_forward(size_t n, const real* x, real* y) {
#pragma omp simd
  for (size_t i = 0; i < n; ++i) {
    const real v = x[i] < 0 ? real(0) : x[i];
    y[i] = v * v;
  }
}

static void relu2_backward(size_t n, const real* x, real* dy) {
#pragma omp simd
  for (size_t i = 0; i < n; ++i) dy[i] *= x[i] < 0 ? real(0) : real(2) * x[i];
}
