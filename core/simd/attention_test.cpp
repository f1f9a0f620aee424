#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "core/simd/kernel_test.h"

using bitlab::real;
using namespace bitlab::simd;

namespace {

struct Shape {
  size_t batch, seq_len, n_head, n_kv_head, d_head;
  bool causal = true;
  double dropout = 0;
};

std::vector<real> random_values(size_t n, unsigned seed, double spread = 1) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal(0, spread);
  std::vector<real> x(n);
  for (real& v : x) v = static_cast<real>(normal(engine));
  return x;
}

// Everything that a call reads and writes; outputs start as NaN, scratch too, with guards behind
// it.
struct Problem {
  Shape shape;
  AttentionArgs args;
  std::vector<real> qkv, dy, y, lse, dqkv, scratch;

  Problem(const Shape& s, unsigned seed, double spread = 1) : shape(s) {
    const size_t rows = s.batch * s.seq_len, width = (s.n_head + 2 * s.n_kv_head) * s.d_head;
    qkv = random_values(rows * width, seed, spread);
    dy = random_values(rows * s.n_head * s.d_head, seed + 1);
    y.resize(dy.size());
    lse.resize(rows * s.n_head);
    dqkv.resize(qkv.size());
    args.batch = s.batch;
    args.seq_len = s.seq_len;
    args.n_head = s.n_head;
    args.n_kv_head = s.n_kv_head;
    args.d_head = args.d_value = s.d_head;
    args.scale = static_cast<real>(1 / std::sqrt(static_cast<double>(s.d_head)));
    args.causal = s.causal;
    args.dropout = static_cast<real>(s.dropout);
    args.key = 0x0123456789ABCDEFu;
  }

  void point() {
    const size_t D = shape.d_head, width = (shape.n_head + 2 * shape.n_kv_head) * D;
    const size_t sequence = shape.seq_len * width, k = shape.n_head * D;
    const size_t v = k + shape.n_kv_head * D;
    args.q = {qkv.data(), width, D, sequence};
    args.k = {qkv.data() + k, width, D, sequence};
    args.v = {qkv.data() + v, width, D, sequence};
    args.dq = {dqkv.data(), width, D, sequence};
    args.dk = {dqkv.data() + k, width, D, sequence};
    args.dv = {dqkv.data() + v, width, D, sequence};
    args.y = y.data();
    args.lse = lse.data();
    args.dy = dy.data();
    args.scratch = scratch.data();
  }

  void forward(const Kernels& k) {
    y.assign(y.size(), kNaN);
    lse.assign(lse.size(), kNaN);
    clear_scratch(k);
    k.attention_forward(args);
    check_guards();
  }

  void backward(const Kernels& k) {
    dqkv.assign(dqkv.size(), kNaN);
    clear_scratch(k);
    k.attention_backward(args);
    check_guards();
  }

 private:
  void clear_scratch(const Kernels& k) {
    scratch.assign(k.attention_scratch(args), kNaN);
    scratch.insert(scratch.end(), 64, kGuard);
    point();
  }
  void check_guards() {
    for (size_t i = scratch.size() - 64; i < scratch.size(); ++i) REQUIRE(scratch[i] == kGuard);
  }
};

// 0 where dropped, else 1 / (1 - dropout); the counter layout that kernels must keep for ever,
// because runs that resume draw the same masks.
double dropout_factor(const AttentionArgs& a, size_t b, size_t h, size_t query, size_t key) {
  if (!(a.dropout > 0)) return 1;
  const std::uint64_t sequence = a.first_sequence + b;
  const auto words = bitlab::philox(
      {static_cast<std::uint32_t>(sequence), static_cast<std::uint32_t>(query),
       static_cast<std::uint32_t>(key / 4), static_cast<std::uint32_t>(h ^ (sequence >> 32 << 16))},
      {static_cast<std::uint32_t>(a.key), static_cast<std::uint32_t>(a.key >> 32)});
  const double uniform = words[key % 4] / 4294967296.0;
  return uniform < static_cast<double>(a.dropout) ? 0 : 1 / (1 - static_cast<double>(a.dropout));
}

// Attention by its definition, in double, with the whole matrix of probabilities.
struct Reference {
  std::vector<double> y, lse, dqkv;

  explicit Reference(const Problem& problem) {
    const AttentionArgs& a = problem.args;
    y.resize(problem.y.size());
    lse.resize(problem.lse.size());
    dqkv.resize(problem.dqkv.size());
    for (size_t b = 0; b < a.batch; ++b)
      for (size_t h = 0; h < a.n_head; ++h)
        for (size_t t = 0; t < a.seq_len; ++t) query(problem, b, h, t);
  }

 private:
  void query(const Problem& problem, size_t b, size_t h, size_t t) {
    const AttentionArgs& a = problem.args;
    const size_t D = a.d_head, T = a.seq_len, width = (a.n_head + 2 * a.n_kv_head) * D;
    const size_t group = h / (a.n_head / a.n_kv_head), seen = a.causal ? t + 1 : T;
    const auto q_at = [&](size_t d) { return (b * T + t) * width + h * D + d; };
    const auto k_at = [&](size_t s, size_t d) {
      return (b * T + s) * width + (a.n_head + group) * D + d;
    };
    const auto v_at = [&](size_t s, size_t d) { return k_at(s, d) + a.n_kv_head * D; };
    const auto y_at = [&](size_t d) { return ((b * T + t) * a.n_head + h) * D + d; };
    const auto& x = problem.qkv;
    std::vector<double> p(seen), dp(seen);
    double sum = 0, top = -INFINITY;
    for (size_t s = 0; s < seen; ++s) {
      for (size_t d = 0; d < D; ++d) p[s] += double(x[q_at(d)]) * x[k_at(s, d)];
      p[s] *= a.scale;
      top = std::max(top, p[s]);
    }
    for (size_t s = 0; s < seen; ++s) sum += std::exp(p[s] - top);
    lse[(b * a.n_head + h) * T + t] = top + std::log(sum);
    double mean = 0;
    for (size_t s = 0; s < seen; ++s) {
      p[s] = std::exp(p[s] - top) / sum;
      const double factor = dropout_factor(a, b, h, t, s);
      for (size_t d = 0; d < D; ++d) {
        y[y_at(d)] += factor * p[s] * x[v_at(s, d)];
        dqkv[v_at(s, d)] += factor * p[s] * problem.dy[y_at(d)];
        dp[s] += factor * problem.dy[y_at(d)] * x[v_at(s, d)];
      }
      mean += p[s] * dp[s];
    }
    for (size_t s = 0; s < seen; ++s) {
      const double ds = p[s] * (dp[s] - mean) * a.scale;
      for (size_t d = 0; d < D; ++d) {
        dqkv[q_at(d)] += ds * x[k_at(s, d)];
        dqkv[k_at(s, d)] += ds * x[q_at(d)];
      }
    }
  }
};

void check_against_reference(const Kernels& k, const Shape& shape) {
  INFO(k.name << ": T " << shape.seq_len << ", heads " << shape.n_head << "/" << shape.n_kv_head
              << ", d_head " << shape.d_head << (shape.causal ? ", causal" : ", full"));
  Problem problem(shape, 7);
  problem.forward(k);
  problem.backward(k);
  const Reference want(problem);
  const double tolerance = sizeof(real) == 8 ? 1e-13 : 2e-6;
  CHECK(distance(problem.y, want.y) < tolerance);
  CHECK(distance(problem.lse, want.lse) < tolerance);
  CHECK(distance(problem.dqkv, want.dqkv) < tolerance);
}

bool same_bits(const real* a, const real* b, size_t n) {
  return std::memcmp(a, b, n * sizeof(real)) == 0;
}

}  // namespace

TEST_CASE("attention equals its definition, forward and backward", "[simd][attention]") {
  for_each_table([](const Kernels& k) {
    for (const size_t seq_len : {1, 5, 33, 70, 130, 200})
      for (const size_t d_head : {8, 16, 24, 64, 128})
        for (const bool causal : {true, false})
          check_against_reference(k, {2, seq_len, 2, 2, d_head, causal});
  });
}

TEST_CASE("attention sums the gradients of query heads that share keys and values",
          "[simd][attention]") {
  for_each_table([](const Kernels& k) {
    for (const size_t n_kv_head : {1, 2, 4})
      for (const bool causal : {true, false})
        check_against_reference(k, {2, 70, 4, n_kv_head, 16, causal});
    check_against_reference(k, {1, 130, 6, 3, 40, true});
  });
}

TEST_CASE("attention with dropout equals its definition with the Philox mask",
          "[simd][attention]") {
  for_each_table([](const Kernels& k) {
    for (const size_t seq_len : {5, 33, 130})
      for (const bool causal : {true, false})
        check_against_reference(k, {2, seq_len, 4, 2, 16, causal, 0.2});
  });
}

TEST_CASE("attention drops the stated share of probabilities", "[simd][attention]") {
  for_each_table([](const Kernels& k) {
    // q = k = 0: each probability is 1 / T. v = one-hot of the key: y shows each of them.
    const size_t T = 128;
    Problem problem({4, T, 1, 1, T, false, 0.3}, 1);
    for (size_t row = 0; row < 4 * T; ++row)
      for (size_t d = 0; d < 3 * T; ++d)
        problem.qkv[row * 3 * T + d] = d == 2 * T + row % T ? 1 : 0;
    problem.forward(k);
    size_t dropped = 0;
    for (const real p : problem.y) {
      dropped += p == 0;
      CHECK((p == 0 || p * T * 0.7 == Approx(1)));
    }
    CHECK(static_cast<double>(dropped) / problem.y.size() == Approx(0.3).margin(0.006));
  });
}

TEST_CASE("attention gives a sequence the same bits in any batch", "[simd][attention]") {
  for_each_table([](const Kernels& k) {
    Problem whole({3, 70, 4, 2, 24, true, 0.1}, 5);
    whole.args.first_sequence = (std::uint64_t{1} << 32) - 2;  // the last one crosses 32 bits
    whole.forward(k);
    whole.backward(k);
    for (size_t b = 0; b < 3; ++b) {
      Problem alone({1, 70, 4, 2, 24, true, 0.1}, 5);
      alone.args.first_sequence = whole.args.first_sequence + b;
      const size_t x = alone.qkv.size(), y = alone.y.size();
      std::copy_n(whole.qkv.begin() + b * x, x, alone.qkv.begin());
      std::copy_n(whole.dy.begin() + b * y, y, alone.dy.begin());
      alone.forward(k);
      alone.backward(k);
      CHECK(same_bits(alone.y.data(), whole.y.data() + b * y, y));
      CHECK(same_bits(alone.lse.data(), whole.lse.data() + b * 70 * 4, 70 * 4));
      CHECK(same_bits(alone.dqkv.data(), whole.dqkv.data() + b * x, x));
    }
  });
}

TEST_CASE("a future token never changes an earlier output of causal attention",
          "[simd][attention]") {
  for_each_table([](const Kernels& k) {
    const size_t T = 150, D = 24, width = 3 * D;
    for (const real future : {real(1e6), kNaN, real(INFINITY)}) {
      Problem problem({1, T, 1, 1, D}, 3);
      problem.forward(k);
      const std::vector<real> y = problem.y, lse = problem.lse;
      for (size_t t = 0; t < T; ++t) {
        INFO(k.name << ": token " << t << " becomes " << future);
        for (size_t i = (T - 1 - t) * width; i < T * width; ++i) problem.qkv[i] = future;
        problem.forward(k);
        REQUIRE(same_bits(problem.y.data(), y.data(), (T - 1 - t) * D));
        REQUIRE(same_bits(problem.lse.data(), lse.data(), T - 1 - t));
      }
    }
  });
}

TEST_CASE("a longer sequence begins with the outputs of a shorter one", "[simd][attention]") {
  for_each_table([](const Kernels& k) {
    for (const size_t d_head : {16, 24}) {  // whole vectors and not
      Problem whole({1, 200, 1, 1, d_head}, 3);
      whole.forward(k);
      for (size_t seq_len = 1; seq_len < 200; ++seq_len) {
        INFO(k.name << ": d_head " << d_head << ", seq_len " << seq_len);
        Problem part({1, seq_len, 1, 1, d_head},
                     3);  // the generator gives it the same first values
        part.forward(k);
        REQUIRE(same_bits(part.y.data(), whole.y.data(), part.y.size()));
      }
    }
  });
}

TEST_CASE("NaN in q, k or v stays visible in attention", "[simd][attention]") {
  for_each_table([](const Kernels& k) {
    const size_t T = 70, D = 16, at = 20;
    for (const size_t part : {0, 1, 2}) {
      INFO(k.name << ": part " << part << " of qkv");
      Problem problem({1, T, 1, 1, D}, 3);
      problem.qkv[(at * 3 + part) * D + 5] = kNaN;
      problem.forward(k);
      for (size_t t = 0; t < T; ++t)
        for (size_t d = 0; d < D; ++d) {
          const bool poisoned = part == 0 ? t == at : t >= at && (part == 1 || d == 5);
          REQUIRE(std::isnan(problem.y[t * D + d]) == poisoned);
        }
      problem.backward(k);
      for (size_t i = 0; i < 3 * D; ++i)
        if (i / D != 2 || part != 2) CHECK(std::isnan(problem.dqkv[at * 3 * D + i]));
    }
  });
}

TEST_CASE("attention survives scores far from zero", "[simd][attention]") {
  for_each_table([](const Kernels& k) {
    Problem problem({1, 130, 2, 2, 16, false}, 9, 12);
    problem.forward(k);
    problem.backward(k);
    const Reference want(problem);
    CHECK(distance(problem.y, want.y) < 1e-3);
    CHECK(distance(problem.dqkv, want.dqkv) < 1e-3);

    // All scores of the full, odd-length case near -400: padding must not look like the greatest.
    Problem low({1, 33, 1, 1, 16, false}, 9);
    for (size_t row = 0; row < 33; ++row)
      for (size_t d = 0; d < 32; ++d)
        low.qkv[row * 48 + d] = (d < 16 ? 10 : -10) + real(0.01) * (row % 7);
    low.forward(k);
    low.backward(k);
    const Reference expected(low);
    CHECK(distance(low.y, expected.y) < 1e-3);
    CHECK(distance(low.dqkv, expected.dqkv) < 1e-3);
  });
}
