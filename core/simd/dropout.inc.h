// Part of table.cpp. Dropout of rows: Philox bits by the element's number.

// Words 0 and 1 of Philox4x32-10 (core/base/rng.cpp) for kCounters counters (index, step) from
// `first` on, one counter after the other.
constexpr size_t kCounters = 64;
static void philox_words(std::uint64_t first,
                         std::uint64_t step,
                         std::uint64_t key,
                         std::uint32_t* words) {
  std::uint32_t x0[kCounters], x1[kCounters], x2[kCounters], x3[kCounters];
#pragma omp simd
  for (size_t i = 0; i < kCounters; ++i) {
    x0[i] = static_cast<std::uint32_t>(first + i);
    x1[i] = static_cast<std::uint32_t>((first + i) >> 32);
    x2[i] = static_cast<std::uint32_t>(step);
    x3[i] = static_cast<std::uint32_t>(step >> 32);
  }
  auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
#pragma omp simd
    for (size_t i = 0; i < kCounters; ++i) {
      const std::uint64_t a = std::uint64_t{0xD2511F53u} * x0[i];
      const std::uint64_t b = std::uint64_t{0xCD9E8D57u} * x2[i];
      x0[i] = static_cast<std::uint32_t>(b >> 32) ^ x1[i] ^ k0;
      x1[i] = static_cast<std::uint32_t>(b);
      x2[i] = static_cast<std::uint32_t>(a >> 32) ^ x3[i] ^ k1;
      x3[i] = static_cast<std::uint32_t>(a);
    }
  }
  for (size_t i = 0; i < kCounters; ++i) words[2 * i] = x0[i], words[2 * i + 1] = x1[i];
}

static void dropout(const DropoutArgs& args) {
  alignas(64) std::uint32_t words[2 * kCounters];
  std::uint64_t counter = args.first / 2;
  size_t skip = args.first % 2;
  for (size_t done = 0; done < args.n; counter += kCounters, skip = 0) {
    philox_words(counter, args.step, args.key, words);
    const size_t left = args.n - done, most = 2 * kCounters - skip, n = left < most ? left : most;
    const std::uint32_t* word = words + skip;
    const real* x = args.x + done;
    real* y = args.y + done;
    const std::uint32_t limit = args.limit;
    const real keep = args.keep;
#pragma omp simd
    for (size_t i = 0; i < n; ++i) y[i] = word[i] < limit ? real(0) : x[i] * keep;
    done += n;
  }
}
