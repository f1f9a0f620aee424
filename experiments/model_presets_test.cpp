// The presets of configs/models: each has the number of parameters that its source states, and that
// its shape gives by hand.
#include <filesystem>
#include <map>
#include <set>

#include "core/base/catch.h"
#include "core/config/load.h"
#include "core/config/resolve.h"
#include "experiments/plan_test.h"
#include "experiments/spec.h"
#include "layers/models/bitnet.h"
#include "layers/param_count.h"

using namespace bitlab;

namespace {

namespace fs = std::filesystem;

Spec preset(const std::string& name) {
  const fs::path file = source_dir() / "configs" / "models" / (name + ".toml");
  LoadedConfig config = load_config(file, {}, source_dir());
  Spec spec;
  read_settings(config.file, spec);
  return spec;
}

ParamCount count(const Spec& spec) {
  auto* const config = dynamic_cast<BitnetConfig*>(spec.model.get());
  config->size_check.clear();
  return count_params(*models().at(spec.model_name).build(*spec.model, 1));
}

// Weights, without gains, of a gated decoder whose head is the embedding.
size_t tied_glu(size_t vocab, size_t layers, size_t d, size_t keys, size_t ff) {
  return vocab * d + layers * (2 * d * d + 2 * keys * d + 3 * d * ff);
}

struct Expected {
  size_t weights;    // by the formula
  size_t published;  // as the source has it (REFERENCE: sizes without gains, unless it says)
  size_t gains;      // of all norms, by hand
};

const std::map<std::string, Expected> kExpected = {
    {"bitnet-700m",
     {tied_glu(32000, 24, 1536, 1536, 4096), 728629248, 24 * (3 * 1536 + 4096) + 1536}},
    {"bitnet-1.3b",
     {tied_glu(32000, 24, 2048, 2048, 5460), 1273298944, 24 * (3 * 2048 + 5460) + 2048}},
    {"bitnet-3b",
     {tied_glu(32000, 26, 3200, 3200, 8640), 3323904000, 26 * (3 * 3200 + 8640) + 3200}},
    {"bitnet-3.9b",
     {tied_glu(32000, 26, 3200, 3200, 12800), 4362240000, 26 * (3 * 3200 + 12800) + 3200}},
    {"bitnet-2b4t", {tied_glu(128256, 30, 2560, 640, 6912), 2412820480 - 440320, 440320}},
    {"llama-700m", {tied_glu(32000, 24, 1536, 1536, 4096), 728629248, 24 * 2 * 1536 + 1536}},
    {"llama-1.3b", {tied_glu(32000, 24, 2048, 2048, 5460), 1273298944, 24 * 2 * 2048 + 2048}},
    {"llama-3b", {tied_glu(32000, 26, 3200, 3200, 8640), 3323904000, 26 * 2 * 3200 + 3200}},
    {"llama-3.9b", {tied_glu(32000, 26, 3200, 3200, 12800), 4362240000, 26 * 2 * 3200 + 3200}},
    // Its latents, shared by heads, in each block; each weight matrix has a gain for each input.
    {"bitnet700-seed",
     {2 * 32000 * 2048 + 24 * (4 * 2048 * 2048 + 2 * 64 * 32 + 3 * 2048 * 5632),
      1364732928 - 437248, 24 * (4 * 2048 + 2 * 64 + 2 * 2048 + 5632) + 2 * 2048}},
    {"bitnet700-fixed",
     {tied_glu(32000, 24, 1536, 1536, 4096) + 24 * 2 * 64 * 32, 728629248 + 98304,
      24 * (3 * 1536 + 4096 + 2 * 64) + 1536}},
    // Two vocabulary matrices; q, k, v, o and w1 have a gain for each of their inputs, w2 and the
    // head too, and centring has three a block but for the last.
    {"kevbuh-debug",
     {2 * 128000 * 256 + 4 * (2 * 256 * 256 + 2 * 64 * 256 + 2 * 256 * 1024), 68300288 - 11776,
      4 * (4 * 256 + 256 + 1024 + 2 * 256) + 2 * 256}}};

}  // namespace

TEST_CASE("every preset of the family has the parameters that its source states",
          "[experiments][models]") {
  std::set<std::string> seen;
  for (const auto& entry : fs::directory_iterator(source_dir() / "configs" / "models")) {
    const std::string name = entry.path().stem();
    const Spec spec = preset(name);
    if (spec.model_name != "bitnet") continue;
    INFO(name);
    REQUIRE(kExpected.count(name) == 1);
    const Expected& want = kExpected.at(name);
    const ParamCount got = count(spec);
    CHECK(want.weights == want.published);
    CHECK(got.total == want.published + want.gains);
    const auto& config = dynamic_cast<const BitnetConfig&>(*spec.model);
    const size_t embedding = static_cast<size_t>(config.vocab_size * config.d_model);
    CHECK(got.ternary == (config.linear == "full" ? 0 : want.weights - embedding));
    seen.insert(name);
  }
  CHECK(seen.size() == kExpected.size());
}

TEST_CASE("the seed that calls itself 700M is refused with what it has, unless asked for",
          "[experiments][models]") {
  const auto refusal = [](const std::string& name) -> std::string {
    const Spec spec = preset(name);
    try {
      models().at(spec.model_name).build(*spec.model, 1);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  CHECK(refusal("bitnet700-seed") ==
        "[model.size_check] the model must have 680M..720M parameters, but these settings give "
        "1,364,732,928; model.size_check=\"\" builds it all the same");
  CHECK(refusal("bitnet700-fixed").empty());
}
