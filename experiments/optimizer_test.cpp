// AdamW against torch.optim.AdamW: five steps, computed by tests/oracle/gpt_oracle.py.
#include "experiments/optimizer.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "core/base/catch.h"
#include "core/base/rng.h"
#include "core/io/safetensors.h"
#include "core/simd/kernels.h"
#include "layers/linear.h"

using namespace bitlab;

namespace {

struct Case {
  const char* name;
  double weight_decay;
  const char* decay;
  double clip;
};

LayerPtr make_linear(size_t in, size_t out) {
  return std::make_unique<Linear>(LinearShape{"", in, {{"w", out}}, true, {}});
}

}  // namespace

TEST_CASE("adamw takes the steps that torch.optim.AdamW takes",
          "[experiments][optimizer][oracle]") {
  const char* root = std::getenv("BITLAB_SOURCE_DIR");
  const SafetensorsFile expected(std::filesystem::path(root ? root : ".") /
                                 "tests/oracle/expected.safetensors");
  for (const Case& c : {Case{"plain", 0, "all", 0}, Case{"decay", 0.1, "all", 0},
                        Case{"matrices", 0.1, "matrices", 0}, Case{"clip", 0.1, "all", 0.5}}) {
    const LayerPtr layer = make_linear(4, 3);
    ParamStore params(*layer);
    Rng(1, "adamw/w").fill_normal(1, params.values().data, 12);
    Rng(1, "adamw/b").fill_normal(1, params.values().data + 12, 3);
    OptimConfig config;
    config.beta2 = 0.95;
    config.decay = c.decay;
    AdamW optimizer(config, params);
    ThreadTeam team(2);
    for (int step = 0; step < 5; ++step) {
      std::vector<real> g(15), want(15);
      Rng(1, "adamw/g" + std::to_string(step)).fill_normal(1, g.data(), 15);
      const double norm = std::sqrt(simd::kernels().sum_of_squares(15, g.data()));
      const double scale = c.clip > 0 && norm > c.clip ? c.clip / norm : 1;
      optimizer.step({g.data(), 1, 15}, scale, {0.03, c.weight_decay}, step, team);
      expected.read(std::string("adamw.") + c.name + "." + std::to_string(step), want.data(), 15);
      for (size_t i = 0; i < 15; ++i) {
        INFO(c.name << ", step " << step << ", value " << i);
        REQUIRE(params.values().data[i] == Approx(want[i]).epsilon(1e-6).margin(1e-6));
      }
    }
  }
}

TEST_CASE("adamw gives the same bits with any number of threads, over groups and their borders",
          "[experiments][optimizer]") {
  // 70,000 + 350 values: more than one group of 65,536, cut inside a tensor.
  std::vector<std::vector<real>> results;
  for (const size_t threads : {1, 2, 5}) {
    const LayerPtr layer = make_linear(200, 350);
    ParamStore params(*layer);
    const size_t n = params.size();
    Rng(2, "w").fill_normal(1, params.values().data, n);
    OptimConfig config;
    config.decay = "matrices";
    AdamW optimizer(config, params);
    ThreadTeam team(threads);
    std::vector<real> g(n);
    for (int step = 0; step < 4; ++step) {
      Rng(2, "g" + std::to_string(step)).fill_normal(1, g.data(), n);
      optimizer.step({g.data(), 1, n}, 1, {0.01, 0.1}, step, team);
    }
    results.emplace_back(params.values().data, params.values().data + n);
  }
  for (const auto& other : results)
    CHECK(std::memcmp(other.data(), results[0].data(), other.size() * sizeof(real)) == 0);
  std::vector<real> start(results[0].size());
  Rng(2, "w").fill_normal(1, start.data(), start.size());
  size_t untouched = 0;
  for (size_t i = 0; i < start.size(); ++i) untouched += start[i] == results[0][i];
  CHECK(untouched < 5);  // by chance, not a group
}

TEST_CASE("decay of matrices leaves norms and biases alone", "[experiments][optimizer]") {
  const LayerPtr layer = make_linear(4, 3);
  ParamStore params(*layer);
  for (size_t i = 0; i < 15; ++i) params.values().data[i] = 1;
  OptimConfig config;
  config.decay = "matrices";
  AdamW optimizer(config, params);
  ThreadTeam team(1);
  std::vector<real> g(15, 0);
  optimizer.step({g.data(), 1, 15}, 1, {0.5, 0.5}, 0, team);
  for (size_t i = 0; i < 15; ++i) CHECK(params.values().data[i] == (i < 12 ? real(0.75) : real(1)));
}
