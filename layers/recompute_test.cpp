// Recomputing changes memory and time, never bits.
#include "layers/recompute.h"

#include <cstring>
#include <string>
#include <vector>

#include "core/base/catch.h"
#include "core/base/rng.h"
#include "layers/containers.h"
#include "layers/examples.h"
#include "layers/feed_forward.h"
#include "layers/gradient_check.h"

using namespace bitlab;

namespace {

// Output, input gradient and parameter gradients of one training pass, one after the other.
std::vector<real> all_of(LayerPtr layer, size_t in, size_t vocab) {
  GradientProblem problem(std::move(layer), in, vocab);
  problem.prepare();
  std::vector<real> all = problem.outputs();
  const std::vector<real> dx = problem.backward();
  const View dw = problem.gradients.values();
  all.insert(all.end(), dx.begin(), dx.end());
  all.insert(all.end(), dw.data, dw.data + dw.size());
  return all;
}

constexpr size_t kWidth = 64, kHidden = 512, kBlocks = 12, kRows = 512;

LayerPtr stack(bool recomputed) {
  const Init init{Init::Kind::Normal, 0.1};
  auto net = std::make_unique<Sequential>();
  for (size_t i = 0; i < kBlocks; ++i) {
    LayerPtr block = std::make_unique<Residual>(std::make_unique<FeedForward>(
        std::make_unique<Linear>(LinearShape{"w1", kWidth, {{"w1", kHidden}}, false, init}),
        Activation::Relu,
        std::make_unique<Linear>(LinearShape{"w2", kHidden, {{"w2", kWidth}}, false, init})));
    if (recomputed) block = std::make_unique<Recompute>(std::move(block));
    net->add("blocks." + std::to_string(i), std::move(block));
  }
  return net;
}

// Bytes that a pass over kRows rows holds.
size_t held(const LayerPtr& net, bool training) {
  ParamStore store(*net);
  store.initialise(1);
  Gradients gradients(store.size());
  std::vector<real> x(kRows * kWidth), dy(x.size(), 1);
  Rng(1, "x").fill_normal(1, x.data(), x.size());
  Pass pass;
  pass.batch = 1;
  pass.seq_len = kRows;
  pass.training = training;
  pass.gradients = &gradients;
  net->forward({x.data(), kRows, kWidth}, pass);
  if (training) net->backward({dy.data(), kRows, kWidth}, pass);
  return pass.arena.capacity();
}

}  // namespace

TEST_CASE("any layer gives the same bits when it is recomputed", "[layers][recompute]") {
  size_t compared = 0;
  for (const LayerExample& example : layer_examples()) {
    INFO(example.name);
    const std::vector<real> plain = all_of(example.make(), example.in, example.vocab);
    const std::vector<real> again =
        all_of(std::make_unique<Recompute>(example.make()), example.in, example.vocab);
    REQUIRE(plain.size() == again.size());
    CHECK(std::memcmp(plain.data(), again.data(), plain.size() * sizeof(real)) == 0);
    ++compared;
  }
  CHECK(compared > 50);
}

TEST_CASE("a stack of recomputed blocks holds one block's insides", "[layers][recompute]") {
  const size_t x = kRows * kWidth * sizeof(real), inside = kRows * kHidden * sizeof(real);
  const size_t largest_block = 2;  // the arena doubles: it holds up to twice what it needs
  for (const bool training : {true, false}) {
    CAPTURE(training);
    CHECK(held(stack(false), training) >= kBlocks * (inside + x));
    CHECK(held(stack(true), training) <= largest_block * ((kBlocks + 4) * x + 3 * inside));
  }
}
