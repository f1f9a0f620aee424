// Attention over keys and values that lie where a KvCache has them: heads of their own widths, keys
// that are there before the queries come, and one query at a time.
#include <cmath>
#include <cstring>
#include <vector>

#include "core/simd/kernel_test.h"

using bitlab::real;
using namespace bitlab::simd;

namespace {

struct Shape {
  size_t batch, keys, n_head, n_kv_head, d_head, d_value;
  bool causal = true;
};

size_t padded(size_t n) {
  return (n + kAttentionPadding - 1) / kAttentionPadding * kAttentionPadding;
}

// Queries of whole sequences, token by token, and keys and values head by head with NaN in all
// padding, which no result may take in.
struct Problem {
  Shape s;
  AttentionArgs args;
  Reals q, k, v, y, lse, dy, dq, dk, dv, scratch;

  explicit Problem(const Shape& shape)
      : s(shape),
        q(noise(s.batch * s.keys * s.n_head * s.d_head, "q")),
        k(s.batch * s.n_kv_head * padded(s.keys) * padded(s.d_head), kNaN),
        v(s.batch * s.n_kv_head * padded(s.keys) * padded(s.d_value), kNaN),
        y(s.batch * s.keys * s.n_head * s.d_value, kNaN),
        lse(s.batch * s.keys * s.n_head, kNaN),
        dy(noise(y.size(), "dy")),
        dq(q.size(), kNaN),
        dk(k.size(), kNaN),
        dv(v.size(), kNaN) {
    fill(k, s.d_head, "k");
    fill(v, s.d_value, "v");
    args.n_head = s.n_head;
    args.n_kv_head = s.n_kv_head;
    args.d_head = s.d_head;
    args.d_value = s.d_value;
    args.scale = static_cast<real>(1 / std::sqrt(static_cast<double>(s.d_head)));
    args.causal = s.causal;
  }

  size_t key_at(size_t width, size_t b, size_t h, size_t t) const {
    return ((b * s.n_kv_head + h) * padded(s.keys) + t) * padded(width);
  }
  template <class T>
  Heads<T> heads(T* data, size_t width) const {
    return {data, padded(width), padded(s.keys) * padded(width),
            s.n_kv_head * padded(s.keys) * padded(width)};
  }

  // Outputs of the queries [first, first + count) of every sequence go to their places in y.
  void run(const Kernels& table, size_t first, size_t count) {
    const size_t q_row = s.n_head * s.d_head, y_row = s.n_head * s.d_value;
    args.batch = s.batch;
    args.seq_len = count;
    args.first_position = first;
    args.q = {q.data() + first * q_row, q_row, s.d_head, s.keys * q_row};
    args.dq = {dq.data(), q_row, s.d_head, s.keys * q_row};
    args.k = heads<const real>(k.data(), s.d_head);
    args.v = heads<const real>(v.data(), s.d_value);
    args.dk = heads(dk.data(), s.d_head);
    args.dv = heads(dv.data(), s.d_value);
    const bool whole = count == s.keys;
    Reals part(s.batch * count * y_row, kNaN);
    args.padded = !whole || count == 1;
    args.y = whole ? y.data() : part.data();
    args.lse = whole && count > 1 ? lse.data() : nullptr;
    args.dy = dy.data();
    scratch.assign(table.attention_scratch(args), kNaN);
    scratch.insert(scratch.end(), 64, real(4321));
    args.scratch = scratch.data();
    (count == 1 ? table.attention_decode : table.attention_forward)(args);
    for (size_t i = scratch.size() - 64; i < scratch.size(); ++i) REQUIRE(scratch[i] == 4321);
    if (!whole)
      for (size_t b = 0; b < s.batch; ++b)
        std::copy_n(&part[b * count * y_row], count * y_row, &y[(b * s.keys + first) * y_row]);
  }

 private:
  void fill(Reals& to, size_t width, const char* purpose) {
    const Reals from = noise(s.batch * s.n_kv_head * s.keys * width, purpose);
    for (size_t row = 0; row < s.batch * s.n_kv_head * s.keys; ++row)
      std::copy_n(&from[row * width], width, &to[key_at(width, 0, row / s.keys, row % s.keys)]);
  }
};

// By definition, in double: probabilities of one query, then y and all gradients.
struct Reference {
  std::vector<double> y, dq, dk, dv;

  explicit Reference(const Problem& p)
      : y(p.y.size()), dq(p.dq.size()), dk(p.dk.size()), dv(p.dv.size()) {
    for (size_t b = 0; b < p.s.batch; ++b)
      for (size_t h = 0; h < p.s.n_head; ++h)
        for (size_t t = 0; t < p.s.keys; ++t) query(p, b, h, t);
  }

 private:
  void query(const Problem& p, size_t b, size_t h, size_t t) {
    const Shape& s = p.s;
    const size_t g = h / (s.n_head / s.n_kv_head), seen = s.causal ? t + 1 : s.keys;
    const size_t q = ((b * s.keys + t) * s.n_head + h) * s.d_head;
    const size_t o = ((b * s.keys + t) * s.n_head + h) * s.d_value;
    std::vector<double> e(seen), dp(seen);
    double sum = 0, top = -INFINITY, mean = 0;
    for (size_t i = 0; i < seen; ++i) {
      for (size_t d = 0; d < s.d_head; ++d)
        e[i] += double(p.q[q + d]) * p.k[p.key_at(s.d_head, b, g, i) + d];
      top = std::max(top, e[i] *= p.args.scale);
    }
    for (double& x : e) sum += x = std::exp(x - top);
    for (size_t i = 0; i < seen; ++i) {
      const size_t at = p.key_at(s.d_value, b, g, i);
      e[i] /= sum;
      for (size_t d = 0; d < s.d_value; ++d) {
        y[o + d] += e[i] * p.v[at + d];
        dv[at + d] += e[i] * p.dy[o + d];
        dp[i] += double(p.dy[o + d]) * p.v[at + d];
      }
      mean += e[i] * dp[i];
    }
    for (size_t i = 0; i < seen; ++i) {
      const size_t at = p.key_at(s.d_head, b, g, i);
      const double ds = e[i] * (dp[i] - mean) * p.args.scale;
      for (size_t d = 0; d < s.d_head; ++d) {
        dq[q + d] += ds * p.k[at + d];
        dk[at + d] += ds * p.q[q + d];
      }
    }
  }
};

// Greatest difference relative to the greatest expected value, over values that are expected at
// all: padding of keys is not.
double distance_of_expected(const Reals& got, const Doubles& want) {
  double worst = 0, size = 1e-30;
  for (const double w : want) size = std::max(size, std::fabs(w));
  for (size_t i = 0; i < want.size(); ++i) {
    if (want[i] == 0) continue;
    const double d = std::fabs(got[i] - want[i]);
    worst = d <= worst ? worst : (std::isnan(d) ? INFINITY : d);
  }
  return worst / size;
}

bool same_bits(const Reals& a, const Reals& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(real)) == 0;
}

}  // namespace

TEST_CASE("attention takes values of another width than keys, forward and backward",
          "[simd][attention]") {
  for_each_table([](const Kernels& k) {
    for (const size_t keys : {1, 40, 128, 150})
      for (const bool causal : {true, false})
        for (const auto& [d_head, d_value] :
             std::vector<std::pair<size_t, size_t>>{{32, 64}, {24, 16}, {8, 40}, {96, 20}}) {
          CAPTURE(keys, causal, d_head, d_value);
          Problem problem({2, keys, 4, 2, d_head, d_value, causal});
          problem.run(k, 0, keys);
          const Reference want(problem);
          CHECK(distance_of_expected(problem.y, want.y) < 2e-6);
          if (keys == 1) continue;
          k.attention_backward(problem.args);
          CHECK(distance_of_expected(problem.dq, want.dq) < 2e-6);
          CHECK(distance_of_expected(problem.dk, want.dk) < 2e-6);
          CHECK(distance_of_expected(problem.dv, want.dv) < 2e-6);
        }
  });
}

TEST_CASE("attention over earlier keys gives the bits of the whole sequence, in any chunks",
          "[simd][attention][cache]") {
  for_each_table([](const Kernels& k) {
    for (const auto& [d_head, d_value] :
         std::vector<std::pair<size_t, size_t>>{{16, 16}, {24, 24}, {64, 32}, {100, 12}})
      for (const std::vector<size_t>& cuts : std::vector<std::vector<size_t>>{
               {100, 100, 100}, {1, 299}, {32, 96, 128, 44}, {7, 33, 2, 131, 127}, {299, 1}}) {
        CAPTURE(d_head, d_value, cuts);
        Problem whole({2, 300, 4, 2, d_head, d_value}), parts = whole;
        whole.run(k, 0, 300);
        size_t first = 0;
        for (const size_t count : cuts) {
          parts.run(k, first, count);
          first += count;
        }
        REQUIRE(same_bits(parts.y, whole.y));
      }
  });
}

TEST_CASE("attention for one query at a time gives the bits of the whole sequence",
          "[simd][attention][cache]") {
  for_each_table([](const Kernels& k) {
    for (const size_t n_kv_head : {1, 2, 6})
      for (const auto& [d_head, d_value] :
           std::vector<std::pair<size_t, size_t>>{{16, 16}, {20, 24}, {48, 80}, {5, 3}}) {
        CAPTURE(n_kv_head, d_head, d_value);
        Problem whole({1, 270, 6, n_kv_head, d_head, d_value}), single = whole;
        whole.run(k, 0, 270);
        for (size_t t = 0; t < 270; ++t) single.run(k, t, 1);
        REQUIRE(same_bits(single.y, whole.y));
      }
  });
}

TEST_CASE("a NaN key shows in the output of one query", "[simd][attention][cache][nan]") {
  for_each_table([](const Kernels& k) {
    for (const size_t at : {0, 77, 140}) {
      Problem problem({1, 141, 2, 1, 16, 16});
      problem.k[problem.key_at(16, 0, 0, at) + 3] = kNaN;
      problem.run(k, 140, 1);
      for (size_t i = 140 * 32; i < 141 * 32; ++i) CHECK(std::isnan(problem.y[i]));
    }
  });
}
