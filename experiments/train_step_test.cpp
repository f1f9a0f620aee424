// The gradient of a step: independent of threads and of how the batch is cut, and without
// allocations.
#include "experiments/train_step.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "core/base/catch.h"
#include "core/base/rng.h"
#include "experiments/optimizer.h"
#include "layers/bitlinear_config.h"
#include "layers/linear.h"
#include "layers/models/gpt.h"

namespace {
std::atomic<long> allocations{0};
void* counted(std::size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes ? bytes : 1)) return memory;
  throw std::bad_alloc();
}
}  // namespace

// Every allocation of the program is counted.
void* operator new(std::size_t bytes) { return counted(bytes); }
void* operator new[](std::size_t bytes) { return counted(bytes); }
void* operator new(std::size_t bytes, std::align_val_t align) {
  ++allocations;
  const auto a = static_cast<std::size_t>(align);
  if (void* memory = std::aligned_alloc(a, (bytes + a - 1) / a * a)) return memory;
  throw std::bad_alloc();
}
void* operator new[](std::size_t bytes, std::align_val_t align) {
  return operator new(bytes, align);
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(bytes ? bytes : 1);
}
void* operator new[](std::size_t bytes, const std::nothrow_t& nothrow) noexcept {
  return operator new(bytes, nothrow);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

using namespace bitlab;

namespace {

constexpr size_t kVocab = 11, kLength = 8;

GptConfig small(const std::string& linear, const std::string& weight_quant = "absmean") {
  GptConfig config;
  config.n_layer = 2;
  config.n_head = 2;
  config.d_model = 16;
  config.seq_len = kLength;
  config.dropout = 0.1;
  config.linear = linear;
  config.linear_settings = linear_layers().at(linear).make_config();
  if (linear == "bitlinear")
    dynamic_cast<BitLinearConfig&>(*config.linear_settings).weight_quant = weight_quant;
  return config;
}

void random_batch(
    std::uint64_t step, size_t first, size_t count, std::int32_t* tokens, std::int32_t* targets) {
  for (size_t i = 0; i < count * kLength; ++i) {
    tokens[i] =
        static_cast<std::int32_t>(Rng(1, "tokens").below(kVocab, step, first * kLength + i));
    targets[i] = (tokens[i] * 3 + 1) % static_cast<std::int32_t>(kVocab);
  }
}

TrainConfig cut(size_t batch, size_t shards, size_t accumulate) {
  TrainConfig config;
  config.batch_size = static_cast<std::int64_t>(batch);
  config.shards = static_cast<std::int64_t>(shards);
  config.accumulate = static_cast<std::int64_t>(accumulate);
  return config;
}

struct Run {
  LanguageModel model;
  TrainStep step;
  AdamW optimizer;
  ThreadTeam team;
  std::vector<double> losses;

  Run(const GptConfig& config, const TrainConfig& train, size_t threads)
      : model(build_gpt(config, kVocab), kVocab, kLength, 1),
        step(model, train, 1, sequences(kLength, random_batch)),
        optimizer(OptimConfig{}, model.params()),
        team(threads) {}

  void steps(std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t t = from; t < to; ++t) {
      losses.push_back(step.run(t, team));
      optimizer.step(step.gradient(), 1, {1e-2, 0.01}, static_cast<std::int64_t>(t), team);
      model.prepare(t + 1);
    }
  }
  bool same_weights(Run& other) {
    const View a = model.params().values(), b = other.model.params().values();
    return a.size() == b.size() && std::memcmp(a.data, b.data, a.size() * sizeof(real)) == 0;
  }
};

}  // namespace

TEST_CASE("losses and weights are the same bits with any number of threads",
          "[experiments][train]") {
  for (const char* linear : {"full", "bitlinear"}) {
    CAPTURE(linear);
    Run one(small(linear), cut(8, 4, 1), 1);
    one.steps(0, 50);
    CHECK(one.losses.back() < 0.9 * one.losses.front());  // it learns something
    for (const size_t threads : {2, 3, 8}) {
      Run other(small(linear), cut(8, 4, 1), threads);
      other.steps(0, 50);
      CHECK(other.losses == one.losses);
      CHECK(other.same_weights(one));
    }
  }
}

TEST_CASE("N micro-batches of one shard give the bits of one batch of N shards",
          "[experiments][train]") {
  for (const char* linear : {"full", "bitlinear"})
    for (const size_t n : {2, 3, 4, 5, 8, 11}) {
      CAPTURE(linear, n);
      Run shards(small(linear), cut(2 * n, n, 1), 2), accumulated(small(linear), cut(2, 1, n), 1);
      shards.steps(0, 5);
      accumulated.steps(0, 5);
      CHECK(shards.losses == accumulated.losses);
      CHECK(shards.same_weights(accumulated));
      if (n % 2 == 0) {
        Run mixed(small(linear), cut(n, n / 2, 2), 2);
        mixed.steps(0, 5);
        CHECK(mixed.losses == shards.losses);
        CHECK(mixed.same_weights(shards));
      }
    }
}

TEST_CASE("a step makes as many gradient buffers as it says, one if nothing is summed",
          "[experiments][train]") {
  const auto made = [](size_t shards, size_t accumulate) {
    const TrainConfig config = cut(shards, shards, accumulate);
    Run run(small("full"), config, 2);
    run.steps(0, 2);
    CAPTURE(shards, accumulate);
    CHECK(run.step.gradient_buffers() == gradient_buffers(config));
    return gradient_buffers(config);
  };
  CHECK(made(1, 1) == 1);
  CHECK(made(2, 1) == 2);
  CHECK(made(1, 2) == 2);
  CHECK(made(1, 8) == 4);
  CHECK(made(4, 2) == 5);
  CHECK(made(1, 9) == 2);  // no tree any more
  CHECK(made(1, 32) == 2);
  CHECK(made(3, 5) == 4);
  for (size_t shards = 1; shards < 6; ++shards)
    for (size_t accumulate = 1; accumulate < 5; ++accumulate) made(shards, accumulate);
}

TEST_CASE("the gradient of a step is the mean over its tokens, however the batch is cut",
          "[experiments][train]") {
  Run whole(small("full"), cut(12, 1, 1), 1);
  const double loss = whole.step.run(3, whole.team);
  const View want = whole.step.gradient();
  double size = 0;
  for (size_t i = 0; i < want.size(); ++i) size = std::max<double>(size, std::fabs(want.data[i]));
  CHECK(whole.step.tokens() == 12 * kLength);
  for (const size_t shards : {2, 3, 4, 6, 12}) {
    Run other(small("full"), cut(12, shards, 1), 2);
    CHECK(other.step.run(3, other.team) == Approx(loss).epsilon(1e-6));
    CHECK(other.step.gradient_norm(other.team) ==
          Approx(whole.step.gradient_norm(whole.team)).epsilon(1e-5));
    double worst = 0;
    for (size_t i = 0; i < want.size(); ++i)
      worst = std::max<double>(worst, std::fabs(other.step.gradient().data[i] - want.data[i]));
    CHECK(worst < 1e-5 * size);
  }
}

TEST_CASE("the summed gradient has the slope of the loss", "[experiments][train]") {
  // Along a random direction, in float: the dropout masks of a step are the same at every call.
  Run run(small("full"), cut(6, 3, 2), 2);
  run.step.run(7, run.team);
  const View values = run.model.params().values(), g = run.step.gradient();
  std::vector<real> direction(values.size()), start(values.data, values.data + values.size());
  Rng(3, "direction").fill_normal(1, direction.data(), direction.size());
  double slope = 0;
  for (size_t i = 0; i < g.size(); ++i) slope += static_cast<double>(g.data[i]) * direction[i];
  const double h = 2e-4;
  double loss[2];
  for (const int side : {0, 1}) {
    for (size_t i = 0; i < start.size(); ++i)
      values.data[i] =
          start[i] + static_cast<real>((side ? h : -h) * static_cast<double>(direction[i]));
    run.model.prepare(7);
    loss[side] = run.step.run(7, run.team);
  }
  CHECK((loss[1] - loss[0]) / (2 * h) == Approx(slope).epsilon(0.02).margin(1e-3));
}

TEST_CASE("a step does not depend on the steps before it", "[experiments][train]") {
  Run run(small("bitlinear"), cut(6, 3, 1), 2), fresh(small("bitlinear"), cut(6, 3, 1), 2);
  for (std::uint64_t t = 0; t < 4; ++t) run.step.run(t, run.team);
  const double loss = run.step.run(9, run.team);
  CHECK(fresh.step.run(9, fresh.team) == loss);
  CHECK(std::memcmp(run.step.gradient().data, fresh.step.gradient().data,
                    run.step.gradient().size() * sizeof(real)) == 0);
  CHECK(run.step.run(10, run.team) != loss);
}

TEST_CASE("nothing is allocated per step after the first ones",
          "[experiments][train][allocation]") {
  for (const auto& [linear, quantiser] :
       {std::pair{"full", ""}, std::pair{"bitlinear", "absmean"},
        std::pair{"bitlinear", "absmedian"}, std::pair{"bitlinear", "twn"},
        std::pair{"bitlinear", "binary"}})
    for (const size_t threads : {1, 2}) {
      CAPTURE(linear, quantiser, threads);
      Run run(small(linear, quantiser), cut(8, 4, 2), threads);
      run.losses.reserve(100);
      // Which thread takes a shard is chance, so each may still meet its first: a quiet stretch
      // must come soon.
      long fewest = 1000000;
      for (std::uint64_t from = 0; from < 60; from += 10) {
        const long before = allocations;
        run.steps(from, from + 10);
        fewest = std::min(fewest, allocations - before);
      }
      CHECK(fewest == 0);
    }
}

TEST_CASE("the allocation counter counts", "[experiments][allocation]") {
  const long before = allocations;
  const std::vector<double> memory(100);
  CHECK(allocations == before + 1);
}
