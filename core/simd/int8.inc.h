// Part of table.cpp. int8 activations and their product with ternary weights.

static void quantize_rows(size_t rows, size_t cols, const real* x, real eps, std::int8_t* codes,
                          size_t stride, real* step, std::int32_t* sum) {
  for (size_t r = 0; r < rows; ++r) {
    const real* row = x + r * cols;
    std::int8_t* out = codes + r * stride;
    real biggest = 0;
    for (size_t c = 0; c < cols; ++c) biggest = std::fmax(biggest, std::fabs(row[c]));
    const real s = real(127) / std::fmax(biggest, eps);
    std::int32_t total = 0;
    for (size_t c = 0; c < cols; ++c) {
      const real q = std::fmin(std::fmax(std::nearbyint(row[c] * s), real(-128)), real(127));
      out[c] = static_cast<std::int8_t>(q);
      total += out[c];
    }
    for (size_t c = cols; c < stride; ++c) out[c] = 0;
    step[r] = real(1) / s;
    sum[r] = total;
  }
}

static void dequantize_rows(size_t rows, size_t cols, const std::int8_t* codes, size_t stride,
                            const real* step, real* x) {
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < cols; ++c) x[r * cols + c] = codes[r * stride + c] * step[r];
}

static size_t ternary_packed_size(size_t n, size_t k) { return n * k; }

static void ternary_pack(size_t n, size_t k, const std::int8_t* codes, std::uint8_t* packed) {
  for (size_t i = 0; i < n * k; ++i) packed[i] = static_cast<std::uint8_t>(codes[i] + 1);
}

static void ternary_gemm(const TernaryGemmArgs& args) {
  for (size_t r = 0; r < args.m; ++r)
    for (size_t j = 0; j < args.n; ++j) {
      std::int32_t acc = -args.x_sum[r];
      for (size_t p = 0; p < args.k; ++p)
        acc += std::int32_t(args.w[j * args.k + p]) * args.x[r * args.x_stride + p];
      const real scaled = static_cast<real>(acc) * (args.x_step[r] * args.w_scale[j]);
      args.y[r * args.n + j] = args.bias ? scaled + args.bias[j] : scaled;
    }
}
