// Part of table.cpp. Matrix product.

static void gemm(const GemmArgs& args) {
  for (size_t i = 0; i < args.m; ++i)
    for (size_t j = 0; j < args.n; ++j) {
      real sum = 0;
      for (size_t p = 0; p < args.k; ++p) {
        const real a = args.trans_a ? args.a[p * args.lda + i] : args.a[i * args.lda + p];
        const real b = args.trans_b ? args.b[j * args.ldb + p] : args.b[p * args.ldb + j];
        sum += a * b;
      }
      real& c = args.c[i * args.ldc + j];
      c = args.beta == 0 ? sum : args.beta * c + sum;
    }
}
