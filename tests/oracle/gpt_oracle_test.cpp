// The GPT against PyTorch: logits, loss and every gradient, for full precision, for seed 2's
// BitLinear, and for a BitLinear with its norm inside. expected.safetensors comes from
// gpt_oracle.py; weights are drawn by name in both. Compiled twice: with real = float, as the
// product is, and with real = double, where agreement is closer.
#include <sys/wait.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "core/base/catch.h"
#include "core/base/rng.h"
#include "core/io/safetensors.h"
#include "core/simd/kernels.h"
#include "layers/bitlinear_config.h"
#include "layers/linear.h"
#include "layers/models/gpt.h"
#include "layers/models/model.h"

using namespace bitlab;

namespace {

constexpr size_t kBatch = 2, kLength = 16, kVocab = 17;
// Relative to the largest value of a tensor. The file holds float values: 6e-8.
constexpr double kTolerance = sizeof(real) == 8 ? 2e-7 : 1e-4;

std::filesystem::path folder() {
  const char* root = std::getenv("BITLAB_SOURCE_DIR");
  return std::filesystem::path(root ? root : ".") / "tests" / "oracle";
}

GptConfig arm_config(const std::string& arm) {
  GptConfig config;
  config.n_layer = 2;
  config.n_head = 2;
  config.d_model = 32;
  config.d_ff = 48;
  config.seq_len = kLength;
  config.norm_eps = 1e-5;
  config.linear = arm == "full" ? "full" : "bitlinear";
  config.linear_settings = linear_layers().at(config.linear).make_config();
  if (arm == "b158") {
    auto& settings = dynamic_cast<BitLinearConfig&>(*config.linear_settings);
    settings.norm = "rmsnorm";
    settings.norm_eps = 1e-6;
    config.norm = "layernorm";
    config.activation = "gelu";
    config.tie_embeddings = config.qkv_bias = true;
  } else {
    config.attention_scale = "n_embd";
  }
  if (arm == "bitlinear") {
    dynamic_cast<BitLinearConfig&>(*config.linear_settings).norm = "none";
    config.proj_bias = config.ffn_bias = false;
  }
  return config;
}

// N(0, 0.3) weights, gains 1 and biases 0, all pushed by N(0, 0.1), rounded to float.
void draw_weights(LanguageModel& model, std::uint64_t seed) {
  for (Param* p : model.params().params()) {
    const size_t n = p->size();
    std::vector<double> base(n, p->init.kind == Init::Kind::Ones ? 1 : 0), push(n);
    if (p->init.kind == Init::Kind::Normal)
      Rng(seed, "init/" + p->name).fill_normal(0.3, base.data(), n);
    Rng(seed, "push/" + p->name).fill_normal(0.1, push.data(), n);
    for (size_t i = 0; i < n; ++i)
      p->value.data[i] = static_cast<real>(static_cast<float>(base[i] + push[i]));
  }
  model.prepare(0);
}

std::vector<std::int32_t> draw(std::uint64_t seed, const char* purpose) {
  std::vector<std::int32_t> ids(kBatch * kLength);
  for (size_t i = 0; i < ids.size(); ++i)
    ids[i] = static_cast<std::int32_t>(Rng(seed, purpose).below(kVocab, 0, i));
  return ids;
}

double distance(const SafetensorsFile& expected, const std::string& name, View got) {
  std::vector<double> want(got.size());
  expected.read(name, want.data(), want.size());
  double worst = 0, size = 1e-3;  // a key bias has the gradient 0: softmax does not see shifts
  for (size_t i = 0; i < want.size(); ++i) {
    const double d = std::fabs(static_cast<double>(got.data[i]) - want[i]);
    worst = d <= worst ? worst : (std::isnan(d) ? INFINITY : d);
    size = std::max(size, std::fabs(want[i]));
  }
  return worst / size;
}

void check_arm(const std::string& arm, const SafetensorsFile& expected) {
  double number = 0;
  expected.read(arm + ".seed", &number, 1);
  const auto seed = static_cast<std::uint64_t>(number);
  LanguageModel model(build_gpt(arm_config(arm), kVocab), kVocab, kLength, 1);
  draw_weights(model, seed);
  const auto tokens = draw(seed, "tokens"), targets = draw(seed, "targets");
  Gradients gradients(model.params().size());
  Pass pass;
  pass.batch = kBatch;
  pass.seq_len = kLength;
  pass.tokens = tokens.data();
  pass.gradients = &gradients;
  const double rows = kBatch * kLength;
  CHECK(distance(expected, arm + ".logits", model.logits(pass)) < kTolerance);
  expected.read(arm + ".loss", &number, 1);
  CHECK(model.loss(pass, targets.data()) / rows == Approx(number).epsilon(kTolerance));
  pass.training = true;
  CHECK(model.loss_and_gradients(pass, targets.data(), 1 / rows) / rows ==
        Approx(number).epsilon(kTolerance));
  size_t compared = 0;
  for (const Param* p : model.params().params()) {
    INFO("gradient of " << p->name);
    CHECK(distance(expected, arm + ".grad." + p->name, gradients.of(*p)) < kTolerance);
    ++compared;
  }
  size_t stored = 0;
  for (const TensorBytes& t : expected.tensors()) stored += t.name.rfind(arm + ".grad.", 0) == 0;
  CHECK(compared == stored);
}

}  // namespace

TEST_CASE("logits, loss and every gradient are PyTorch's", "[oracle]") {
  const SafetensorsFile expected(folder() / "expected.safetensors");
  for (const std::string& table : simd::available_kernels()) {
    simd::use_kernels(simd::kernels_named(table));
    for (const char* arm : {"full", "bitlinear", "b158"}) {
      INFO(table << ", " << arm);
      check_arm(arm, expected);
    }
  }
}

TEST_CASE("the committed expectations are what PyTorch computes here", "[oracle][torch]") {
  // Debian's python3-torch belongs to /usr/bin/python3, which need not be the python3 of the path.
  for (const std::string python : {"python3", "/usr/bin/python3"}) {
    const std::string command = python + " '" + (folder() / "gpt_oracle.py").string() +
                                "' --check '" + (folder() / "expected.safetensors").string() +
                                "' > /dev/null 2>&1";
    const int status = std::system(command.c_str());
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code == 77 || code == 127) continue;  // no torch, no python
    INFO(command);
    CHECK(code == 0);
    return;
  }
  WARN("skipped: no python3 with torch (apt-get install python3-torch)");
}
