// What layers/layer.h promises, for every layer.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/rng.h"
#include "layers/dropout.h"
#include "layers/embedding.h"
#include "layers/examples.h"
#include "layers/gradient_check.h"

using namespace bitlab;

namespace {

bool same_bits(const std::vector<real>& a, const std::vector<real>& b) {
  if (a.size() != b.size()) return false;
  return a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(real)) == 0;
}

std::vector<real> copy(View v) { return {v.data, v.data + v.size()}; }

}  // namespace

TEST_CASE("forward leaves its input and the parameters as they are", "[layers]") {
  for (const LayerExample& example : layer_examples())
    for (const bool training : {true, false}) {
      INFO(example.name << (training ? ", training" : ", evaluation"));
      GradientProblem problem(example.make(), example.in, example.vocab);
      problem.prepare();
      problem.pass.training = training;
      const std::vector<real> x = problem.x, values = copy(problem.store.values());
      problem.outputs();
      CHECK(same_bits(problem.x, x));
      CHECK(same_bits(copy(problem.store.values()), values));
    }
}

TEST_CASE("a pass that is used again gives the same bits, forward and backward", "[layers]") {
  for (const LayerExample& example : layer_examples()) {
    INFO(example.name);
    GradientProblem problem(example.make(), example.in, example.vocab);
    problem.prepare();
    const std::vector<real> y = problem.outputs(), dx = problem.backward(),
                            dw = copy(problem.gradients.values());
    CHECK(same_bits(problem.outputs(), y));
    CHECK(same_bits(problem.backward(), dx));
    CHECK(same_bits(copy(problem.gradients.values()), dw));
  }
}

TEST_CASE("backward takes from the stack what forward put there, no more and no less", "[layers]") {
  for (const LayerExample& example : layer_examples()) {
    INFO(example.name);
    GradientProblem problem(example.make(), example.in, example.vocab);
    problem.prepare();
    problem.outputs();  // makes the loss
    problem.pass.saved.clear();
    real mark;
    problem.pass.saved.push({&mark, 1, 1});
    const View y = problem.layer->forward(example.in ? problem.input() : View{}, problem.pass);
    const View dy = problem.pass.arena.matrix(y.rows, y.cols);
    std::fill_n(dy.data, dy.size(), real(1));
    problem.layer->backward(dy, problem.pass);
    CHECK(problem.pass.saved.pop().data == &mark);
    CHECK_THROWS_AS(problem.pass.saved.pop(), Error);
  }
}

TEST_CASE("a pass holds no more memory the second time", "[layers]") {
  for (const LayerExample& example : layer_examples()) {
    INFO(example.name);
    GradientProblem problem(example.make(), example.in, example.vocab);
    problem.prepare();
    problem.backward();
    const size_t held = problem.pass.arena.capacity();
    for (int i = 0; i < 3; ++i) problem.backward();
    CHECK(problem.pass.arena.capacity() == held);
  }
}

TEST_CASE("two passes through one layer do not disturb each other", "[layers]") {
  for (const LayerExample& example : layer_examples()) {
    INFO(example.name);
    GradientProblem problem(example.make(), example.in, example.vocab);
    problem.prepare();
    const std::vector<real> y = problem.outputs();
    Pass other;
    other.batch = 1;
    other.seq_len = GradientProblem::kSeqLen;
    other.tokens = problem.tokens.data();
    const View first = problem.layer->forward(example.in ? problem.input() : View{}, problem.pass);
    problem.layer->forward(example.in ? View{problem.x.data(), other.rows(), example.in} : View{},
                           other);
    CHECK(same_bits(copy(first), y));
  }
}

TEST_CASE("dropout draws a mask by the row of the whole batch, however it is cut",
          "[layers][dropout]") {
  // Training output of sequences 1 .. 2 of a batch, alone and as part of sequences 0 .. 3.
  for (const LayerExample& example : layer_examples()) {
    if (example.name.find("ropout") == std::string::npos) continue;
    INFO(example.name);
    const size_t T = GradientProblem::kSeqLen, in = example.in;
    GradientProblem problem(example.make(), in, example.vocab);
    problem.prepare();
    std::vector<real> x(4 * T * in, 1);
    std::vector<std::int32_t> tokens(4 * T, 1);
    const auto run = [&](size_t first, size_t count) {
      Pass pass;
      pass.batch = count;
      pass.seq_len = T;
      pass.tokens = tokens.data() + first * T;
      pass.training = true;
      pass.seed = 5;
      pass.step = 9;
      pass.first_row = first * T;
      return copy(problem.layer->forward(
          in ? View{x.data() + first * T * in, count * T, in} : View{}, pass));
    };
    const std::vector<real> whole = run(0, 4), part = run(1, 2);
    const size_t sequence = whole.size() / 4;
    double worst = 0, same = 0;
    for (size_t i = 0; i < part.size(); ++i)
      worst = std::max<double>(worst, std::fabs(part[i] - whole[sequence + i]));
    for (size_t i = 0; i < sequence; ++i) same += whole[i] == whole[sequence + i];
    CHECK(worst < 1e-5);
    if (example.name != "Dropout, none")
      CHECK(same < 0.95 * double(sequence));  // sequences have masks of their own
  }
}

TEST_CASE("dropout drops the stated share, scales the rest, and does nothing in evaluation",
          "[layers][dropout]") {
  const Dropout dropout(0.3, "key");
  std::vector<real> x(200 * 500, 2);
  Pass pass;
  pass.batch = 20;
  pass.seq_len = 10;
  pass.training = true;
  const auto run = [&] { return copy(dropout.forward({x.data(), 200, 500}, pass)); };
  const std::vector<real> y = run();
  double dropped = 0;
  for (const real v : y) {
    REQUIRE((v == 0 || v == Approx(2 / 0.7)));
    dropped += v == 0;
  }
  const auto n = static_cast<double>(x.size());
  CHECK(std::fabs(dropped / n - 0.3) < 5 * std::sqrt(0.3 * 0.7 / n));
  const auto differs = [&] {
    const std::vector<real> other = run();
    double different = 0;
    for (size_t i = 0; i < y.size(); ++i) different += (y[i] == 0) != (other[i] == 0);
    return different / n == Approx(2 * 0.3 * 0.7).margin(0.01);  // as independent masks do
  };
  pass.step = 1;
  CHECK(differs());
  pass.step = 0;
  pass.seed = 1;
  CHECK(differs());
  pass.seed = 0;
  pass.first_row = 200;
  CHECK(differs());
  pass.first_row = 0;
  CHECK(same_bits(run(), y));
  pass.training = false;
  CHECK(same_bits(run(), x));
}

TEST_CASE("a NaN weight shows in the output of every layer", "[layers][nan]") {
  for (const LayerExample& example : layer_examples()) {
    GradientProblem probe(example.make(), example.in, example.vocab);
    const size_t n = probe.store.size();
    for (size_t at = 0; at < n; at += std::max<size_t>(1, n / 20)) {
      GradientProblem problem(example.make(), example.in, example.vocab);
      problem.pass.training = false;
      if (example.in == 0) {  // all tokens and so every row of the embedding
        for (size_t i = 0; i < problem.tokens.size(); ++i)
          problem.tokens[i] = static_cast<std::int32_t>(i % example.vocab);
      }
      problem.store.values().data[at] = std::numeric_limits<real>::quiet_NaN();
      problem.prepare();
      const std::vector<real> y = problem.outputs();
      INFO(example.name << ", parameter " << at);
      CHECK(std::any_of(y.begin(), y.end(), [](real v) { return std::isnan(v); }));
    }
  }
}

TEST_CASE("the embedding refuses tokens and lengths that it does not have", "[layers][errors]") {
  Embedding embedding(6, 5, 4, {});
  ParamStore store(embedding);
  std::vector<std::int32_t> tokens = {0, 5, 6, -1, 0, 0};
  Pass pass;
  pass.batch = 1;
  pass.tokens = tokens.data();
  const auto refusal = [&](size_t seq_len) -> std::string {
    pass.seq_len = seq_len;
    try {
      embedding.forward({}, pass);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  CHECK(refusal(2).empty());
  CHECK(refusal(3) == "[embedding] tokens must be below 6, but got 6");
  CHECK(refusal(6) == "[embedding] a sequence must have at most 5 positions, but has 6");
  pass.tokens = tokens.data() + 3;
  CHECK(refusal(1) == "[embedding] tokens must be below 6, but got -1");
}
