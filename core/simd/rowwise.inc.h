// Part of table.cpp. Row-wise and element-wise loops. `omp simd` lets the compiler reorder the sums
// it names, and nothing else.

static double sum_of_squares(size_t n, const real* x) {
  double total = 0;
  for (size_t begin = 0; begin < n;
       begin += 4096) {  // blocks: float lanes stay short, the total is double
    const size_t end = begin + 4096 < n ? begin + 4096 : n;
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = begin; i < end; ++i) sum += x[i] * x[i];
    total += sum;
  }
  return total;
}

static double sum_of_abs(size_t n, const real* x) {
  double total = 0;
  for (size_t begin = 0; begin < n; begin += 4096) {
    const size_t end = begin + 4096 < n ? begin + 4096 : n;
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = begin; i < end; ++i) sum += std::fabs(x[i]);
    total += sum;
  }
  return total;
}

static void rmsnorm_forward(
    size_t rows, size_t cols, const real* x, const real* w, real eps, real* y, real* rstd) {
  for (size_t r = 0; r < rows; ++r) {
    const real* in = x + r * cols;
    real* out = y + r * cols;
    real squares = 0;
#pragma omp simd reduction(+ : squares)
    for (size_t c = 0; c < cols; ++c) squares += in[c] * in[c];
    const real scale = real(1) / std::sqrt(squares / static_cast<real>(cols) + eps);
    if (w) {
#pragma omp simd
      for (size_t c = 0; c < cols; ++c) out[c] = in[c] * scale * w[c];
    } else {
#pragma omp simd
      for (size_t c = 0; c < cols; ++c) out[c] = in[c] * scale;
    }
    rstd[r] = scale;
  }
}

// dx_c = rstd (w_c dy_c - xhat_c mean_k(w_k dy_k xhat_k)); dw_c += sum_r dy_c xhat_c, with xhat = x
// rstd. dx may be dy.
static void rmsnorm_backward(size_t rows,
                             size_t cols,
                             const real* dy,
                             const real* x,
                             const real* w,
                             const real* rstd,
                             real* dx,
                             real* dw) {
  for (size_t r = 0; r < rows; ++r) {
    const real* in = x + r * cols;
    const real* grad = dy + r * cols;
    real* out = dx + r * cols;
    const real scale = rstd[r];
    real dot = 0;
    if (w) {
#pragma omp simd reduction(+ : dot)
      for (size_t c = 0; c < cols; ++c) {
        dot += grad[c] * w[c] * in[c];
        dw[c] += grad[c] * in[c] * scale;
      }
    } else {
#pragma omp simd reduction(+ : dot)
      for (size_t c = 0; c < cols; ++c) dot += grad[c] * in[c];
    }
    const real pull = dot * scale * scale / static_cast<real>(cols);
    if (w) {
#pragma omp simd
      for (size_t c = 0; c < cols; ++c) out[c] = scale * (grad[c] * w[c] - in[c] * pull);
    } else {
#pragma omp simd
      for (size_t c = 0; c < cols; ++c) out[c] = scale * (grad[c] - in[c] * pull);
    }
  }
}

// Null w and b: no gain, no shift.
static void layernorm_forward(size_t rows,
                              size_t cols,
                              const real* x,
                              const real* w,
                              const real* b,
                              real eps,
                              real* y,
                              real* mean,
                              real* rstd) {
  for (size_t r = 0; r < rows; ++r) {
    const real* in = x + r * cols;
    real* out = y + r * cols;
    real sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t c = 0; c < cols; ++c) sum += in[c];
    const real mu = sum / static_cast<real>(cols);
#pragma omp simd reduction(+ : squares)
    for (size_t c = 0; c < cols; ++c) squares += (in[c] - mu) * (in[c] - mu);
    const real scale = real(1) / std::sqrt(squares / static_cast<real>(cols) + eps);
#pragma omp simd
    for (size_t c = 0; c < cols; ++c) out[c] = (in[c] - mu) * scale;
    if (w) {
#pragma omp simd
      for (size_t c = 0; c < cols; ++c) out[c] *= w[c];
    }
    if (b) {
#pragma omp simd
      for (size_t c = 0; c < cols; ++c) out[c] += b[c];
    }
    mean[r] = mu;
    rstd[r] = scale;
  }
}

// g = w dy: dx = rstd (g - mean(g) - xhat mean(g xhat)); dw += dy xhat; db += dy. dx may be dy.
static void layernorm_backward(size_t rows,
                               size_t cols,
                               const real* dy,
                               const real* x,
                               const real* w,
                               const real* mean,
                               const real* rstd,
                               real* dx,
                               real* dw,
                               real* db) {
  const real inverse = real(1) / static_cast<real>(cols);
  for (size_t r = 0; r < rows; ++r) {
    const real* in = x + r * cols;
    const real* grad = dy + r * cols;
    real* out = dx + r * cols;
    const real mu = mean[r], scale = rstd[r];
    if (dw) {
#pragma omp simd
      for (size_t c = 0; c < cols; ++c) dw[c] += grad[c] * (in[c] - mu) * scale;
    }
    if (db) {
#pragma omp simd
      for (size_t c = 0; c < cols; ++c) db[c] += grad[c];
    }
    real sum = 0, dot = 0;
#pragma omp simd reduction(+ : sum, dot)
    for (size_t c = 0; c < cols; ++c) {
      const real g = w ? grad[c] * w[c] : grad[c];
      sum += g;
      dot += g * (in[c] - mu) * scale;
    }
#pragma omp simd
    for (size_t c = 0; c < cols; ++c) {
      const real g = w ? grad[c] * w[c] : grad[c];
      out[c] = scale * (g - sum * inverse - (in[c] - mu) * scale * dot * inverse);
    }
  }
}

// Sum over rows of -log softmax(logits)[target]; dlogits = (softmax - onehot) grad_scale. Rows with
// a negative target count nothing. dlogits may be logits, or null; losses (one a row) may be null.
static double cross_entropy(size_t rows,
                            size_t vocab,
                            const real* logits,
                            const std::int32_t* targets,
                            real grad_scale,
                            real* dlogits,
                            double* losses) {
  double total = 0;
  for (size_t r = 0; r < rows; ++r) {
    const real* in = logits + r * vocab;
    const std::int32_t target = targets[r];
    real top = in[0];
#pragma omp simd reduction(max : top)
    for (size_t c = 0; c < vocab; ++c) top = in[c] > top ? in[c] : top;
    const real picked = target >= 0 ? in[target] : 0;
    real sum = 0;
    if (dlogits) {
      real* out = dlogits + r * vocab;
#pragma omp simd reduction(+ : sum)
      for (size_t c = 0; c < vocab; ++c) sum += out[c] = fast_exp(in[c] - top);
      const real scale = target >= 0 ? grad_scale / sum : 0;
#pragma omp simd
      for (size_t c = 0; c < vocab; ++c) out[c] *= scale;
      if (target >= 0) out[target] -= grad_scale;
    } else {
#pragma omp simd reduction(+ : sum)
      for (size_t c = 0; c < vocab; ++c) sum += fast_exp(in[c] - top);
    }
    const double loss = target >= 0 ? std::log(static_cast<double>(sum)) + top - picked : 0;
    if (losses) losses[r] = loss;
    total += loss;
  }
  return total;
}

static void relu_forward(size_t n, const real* x, real* y) {
#pragma omp simd
  for (size_t i = 0; i < n; ++i) y[i] = x[i] < 0 ? real(0) : x[i];  // NaN stays
}

static void relu_backward(size_t n, const real* y, real* dy) {
#pragma omp simd
  for (size_t i = 0; i < n; ++i) dy[i] = y[i] > 0 ? dy[i] : real(0);
}

// GELU with the exact erf: x Phi(x), Phi(x) = (1 + erf(x / sqrt 2)) / 2.
static void gelu_forward(size_t n, const real* x, real* y) {
#pragma omp simd
  for (size_t i = 0; i < n; ++i)
    y[i] = real(0.5) * x[i] * (real(1) + fast_erf(x[i] * real(0.70710678118654752)));
}

// d/dx x Phi(x) = Phi(x) + x exp(-x^2 / 2) / sqrt(2 pi).
static void gelu_backward(size_t n, const real* x, real* dy) {
#pragma omp simd
  for (size_t i = 0; i < n; ++i) {
    const real phi = real(0.5) * (real(1) + fast_erf(x[i] * real(0.70710678118654752)));
    const real density = fast_exp(real(-0.5) * x[i] * x[i]) * real(0.39894228040143268);
    dy[i] *= phi + x[i] * density;
  }
}

static void copy(size_t n, const real* x, real* y) { std::memmove(y, x, n * sizeof(real)); }

static void add(size_t n, const real* x, real* y) {
#pragma omp simd
  for (size_t i = 0; i < n; ++i) y[i] += x[i];
}

static void add_bias(size_t rows, size_t cols, const real* b, real* y) {
  for (size_t r = 0; r < rows; ++r) add(cols, b, y + r * cols);
}

static void bias_backward(size_t rows, size_t cols, const real* dy, real* db) {
  for (size_t r = 0; r < rows; ++r) add(cols, dy + r * cols, db);
}

// Rounding half to even sends +-0.5 to 0, so a code is what lies strictly beyond.
static void ternary_round(size_t n, const real* w, real inverse, std::int8_t* codes) {
#pragma omp simd
  for (size_t i = 0; i < n; ++i) {
    const real q = w[i] * inverse;
    codes[i] = static_cast<std::int8_t>((q > real(0.5)) - (q < real(-0.5)));
  }
}

static void ternary_expand(size_t n, const std::int8_t* codes, real scale, real* w) {
#pragma omp simd
  for (size_t i = 0; i < n; ++i) w[i] = scale * static_cast<real>(codes[i]);
}

static void adamw(const AdamWArgs& args) {
  const real b1 = args.beta1, b2 = args.beta2;
  const real keep = real(1) - args.lr * args.weight_decay;
  const real rate = args.lr / args.correction1;
  const real root = real(1) / std::sqrt(args.correction2);
  real *w = args.w, *m = args.m, *v = args.v;
  const real* g = args.g;
#pragma omp simd
  for (size_t i = 0; i < args.n; ++i) {
    const real grad = g[i] * args.grad_scale;
    m[i] = b1 * m[i] + (real(1) - b1) * grad;
    v[i] = b2 * v[i] + (real(1) - b2) * grad * grad;
    w[i] = w[i] * keep - rate * m[i] / (std::sqrt(v[i]) * root + args.eps);
  }
}
