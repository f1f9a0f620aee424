// The GPT of both arms: what it is made of, and that it cannot look ahead.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "layers/embedding.h"
#include "layers/examples.h"
#include "layers/model_test.h"

using namespace bitlab;

namespace {

// Seed 2 of the reference: babyGPT ("full") and babyBitNet ("bitlinear").
GptConfig baby(const std::string& linear) {
  GptConfig config;  // 4 layers, 4 heads, width 64, 32 positions
  config.linear = linear;
  config.linear_settings = linear_layers().at(linear).make_config();
  config.attention_scale = "n_embd";
  if (linear == "bitlinear") {
    bitlinear_settings(config).norm = "none";
    config.proj_bias = config.ffn_bias = false;
  }
  return config;
}

LanguageModel make(const GptConfig& config, size_t vocab, std::uint64_t seed = 1) {
  return {build_gpt(config, vocab), vocab, static_cast<size_t>(config.seq_len), seed};
}

}  // namespace

TEST_CASE("babyGPT has 209,153 parameters and babyBitNet 207,617", "[layers][gpt]") {
  const LanguageModel full = make(baby("full"), 65), ternary = make(baby("bitlinear"), 65);
  CHECK(full.params().size() == 209153);
  CHECK(ternary.params().size() == 207617);
  CHECK(full.params().ternary_size() == 0);
  CHECK(ternary.params().ternary_size() == 4 * (4 * 64 * 64 + 2 * 64 * 256));
}

TEST_CASE("parameters have the names that checkpoints are documented with", "[layers][gpt]") {
  const auto names = [](const GptConfig& config) {
    std::vector<std::string> found;
    const LanguageModel model = make(config, 65);
    for (const Param* p : model.params().params())
      found.push_back(p->name + " " + std::to_string(p->rows) + "x" + std::to_string(p->cols));
    return found;
  };
  GptConfig config = baby("full");
  config.n_layer = 1;
  CHECK(names(config) ==
        std::vector<std::string>{"embedding.token.weight 65x64", "embedding.position.weight 32x64",
                                 "blocks.0.norm1.weight 1x64", "blocks.0.attn.wq.weight 64x64",
                                 "blocks.0.attn.wk.weight 64x64", "blocks.0.attn.wv.weight 64x64",
                                 "blocks.0.attn.wo.weight 64x64", "blocks.0.attn.wo.bias 1x64",
                                 "blocks.0.norm2.weight 1x64", "blocks.0.ffn.w1.weight 256x64",
                                 "blocks.0.ffn.w1.bias 1x256", "blocks.0.ffn.w2.weight 64x256",
                                 "blocks.0.ffn.w2.bias 1x64", "final_norm.weight 1x64",
                                 "head.weight 65x64", "head.bias 1x65"});
  GptConfig other = small_gpt("bitlinear");
  other.n_layer = 1;
  other.norm = "layernorm";
  other.tie_embeddings = other.qkv_bias = true;
  const std::vector<std::string> found = names(other);
  const std::set<std::string> set(found.begin(), found.end());
  for (const char* name :
       {"blocks.0.norm1.bias 1x8", "blocks.0.attn.qkv.norm.weight 1x8", "blocks.0.attn.wq.bias 1x8",
        "blocks.0.attn.wo.norm.weight 1x8", "blocks.0.ffn.w1.norm.weight 1x8",
        "blocks.0.ffn.w2.norm.weight 1x32", "head.bias 1x65"})
    CHECK(set.count(name) == 1);
  CHECK(set.count("head.weight 65x8") == 0);
}

TEST_CASE("both arms start with the same values in every tensor they share", "[layers][gpt]") {
  LanguageModel full = make(baby("full"), 65, 7), ternary = make(baby("bitlinear"), 65, 7),
                other = make(baby("full"), 65, 8);
  std::map<std::string, const Param*> by_name, by_name_other;
  for (const Param* p : full.params().params()) by_name[p->name] = p;
  for (const Param* p : other.params().params()) by_name_other[p->name] = p;
  std::set<std::vector<real>> starts;
  for (const Param* p : ternary.params().params()) {
    INFO(p->name);
    REQUIRE(by_name.count(p->name));
    const Param& q = *by_name[p->name];
    CHECK(std::equal(p->value.data, p->value.data + p->size(), q.value.data));
    if (p->init.kind != Init::Kind::Normal) continue;
    CHECK_FALSE(
        std::equal(p->value.data, p->value.data + p->size(), by_name_other[p->name]->value.data));
    CHECK(starts.insert({p->value.data, p->value.data + 8}).second);  // no two tensors alike
    double square = 0;
    for (size_t i = 0; i < p->size(); ++i)
      square += p->value.data[i] * p->value.data[i] / double(p->size());
    CHECK(std::sqrt(square) == Approx(0.02).epsilon(0.06));
  }
}

TEST_CASE("a fresh model predicts nothing: its loss is the log of the vocabulary",
          "[layers][gpt]") {
  for (const char* linear : {"full", "bitlinear"}) {
    const LanguageModel model = make(baby(linear), 65);
    const auto tokens = random_tokens(4 * 32, 65);
    Pass pass;
    pass.batch = 4;
    pass.seq_len = 32;
    pass.tokens = tokens.data();
    CHECK(model.loss(pass, tokens.data()) / 128 == Approx(std::log(65)).epsilon(0.03));
  }
}

TEST_CASE("a future token never changes an earlier logit of the whole model",
          "[layers][gpt][causal]") {
  for (const char* linear : {"full", "bitlinear"})
    for (const char* norm : {"rmsnorm", "layernorm"}) {
      CAPTURE(linear, norm);
      GptConfig config = baby(linear);
      config.norm = norm;
      config.init_std = 0.2;  // attention that is not uniform
      const LanguageModel model = make(config, 65);
      const size_t T = 32, V = 65;
      const auto tokens = random_tokens(2 * T, V);
      const std::vector<real> before = logits(model, tokens, 2);
      for (size_t t = 0; t < T; ++t) {
        auto changed = tokens;
        for (size_t s = t; s < T; ++s)
          changed[s] = static_cast<std::int32_t>((tokens[s] + 1 + s) % 65);
        const std::vector<real> after = logits(model, changed, 2);
        REQUIRE(std::memcmp(before.data(), after.data(), t * V * sizeof(real)) == 0);
        REQUIRE(std::memcmp(&before[t * V], &after[t * V], V * sizeof(real)) != 0);
        REQUIRE(std::memcmp(&before[T * V], &after[T * V], T * V * sizeof(real)) ==
                0);  // the other sequence
      }
    }
}

TEST_CASE("a shorter context gives the logits of the longer one's beginning",
          "[layers][gpt][causal]") {
  for (const char* linear : {"full", "bitlinear"}) {
    const LanguageModel model = make(baby(linear), 65);
    const auto tokens = random_tokens(32, 65);
    const std::vector<real> whole = logits(model, tokens, 1);
    for (const size_t t : {1, 2, 7, 16, 31}) {
      const std::vector<real> part =
          logits(model, {tokens.begin(), tokens.begin() + static_cast<long>(t)}, 1);
      for (size_t i = 0; i < part.size(); ++i) REQUIRE(part[i] == Approx(whole[i]).margin(1e-4));
    }
  }
}

TEST_CASE("targets that are negative count nothing, and the losses add up", "[layers][gpt]") {
  const LanguageModel model = make(baby("full"), 65);
  const auto tokens = random_tokens(32, 65);
  auto targets = random_tokens(32, 65);
  Pass pass;
  pass.batch = 1;
  pass.seq_len = 32;
  pass.tokens = tokens.data();
  std::vector<double> all(32), some(32);
  const double total = model.loss(pass, targets.data(), all.data());
  double sum = 0;
  for (const double loss : all) sum += loss;
  CHECK(sum == Approx(total));
  targets[3] = targets[9] = -1;
  CHECK(model.loss(pass, targets.data(), some.data()) == Approx(total - all[3] - all[9]));
  CHECK((some[3] == 0 && some[9] == 0 && some[4] == all[4]));
  targets[0] = 65;
  CHECK_THROWS_AS(model.loss(pass, targets.data()), Error);
}

TEST_CASE("the ternary report of a model agrees with its effective weights",
          "[layers][gpt][bitlinear]") {
  LanguageModel model = make(baby("bitlinear"), 65);
  size_t matrices = 0;
  double zeros = 0;
  model.visit_ternary([&](const TernaryStats& stats) {
    ++matrices;
    zeros += stats.zero;
    CHECK(stats.minus + stats.zero + stats.plus == Approx(1));
    size_t zero = 0;
    const std::vector<real> effective = stats.effective();
    REQUIRE(effective.size() == stats.size());
    for (size_t i = 0; i < effective.size(); ++i) {
      REQUIRE(effective[i] == static_cast<real>(stats.scale) * static_cast<real>(stats.codes[i]));
      zero += stats.codes[i] == 0;
    }
    CHECK(stats.zero == Approx(double(zero) / double(stats.size())));
    CHECK(stats.scale == Approx(0.02 * std::sqrt(2 / M_PI)).epsilon(0.05));
  });
  CHECK(matrices == 4 * 6);
  CHECK(zeros / 24 == Approx(0.310).margin(0.005));
}

TEST_CASE("fixed codes replace the latent weights, and give the logits they gave",
          "[layers][gpt][bitlinear]") {
  // Products of integers, and of floats that packed codes are expanded to.
  for (const char* activations : {"int8", "none"}) {
    GptConfig config = baby("bitlinear");
    bitlinear_settings(config).act_quant = activations;
    LanguageModel model = make(config, 65, 3), fixed = make(config, 65, 3);
    const auto tokens = random_tokens(32, 65);
    const std::vector<real> want = logits(model, tokens, 1);
    std::vector<std::string> names;
    std::vector<std::vector<std::int8_t>> codes;  // of wq, wk, wv ...: parts of one product
    model.visit_ternary([&](const TernaryStats& stats) {
      names.push_back(stats.name);
      codes.emplace_back(stats.codes, stats.codes + stats.size());
      fixed.fix_ternary(stats.name, codes.back(), static_cast<real>(stats.scale));
    });
    for (Param* p : fixed.params().params())
      if (p->ternary) std::fill_n(p->value.data, p->size(), real(0));
    fixed.prepare(0);
    CHECK(logits(fixed, tokens, 1) == want);
    size_t matrix = 0;
    fixed.visit_ternary([&](const TernaryStats& stats) {
      CHECK(std::equal(codes[matrix].begin(), codes[matrix].end(), stats.codes));
      const std::vector<real> effective = stats.effective();
      for (size_t i = 0; i < effective.size(); ++i)
        REQUIRE(effective[i] == static_cast<real>(stats.scale) * codes[matrix][i]);
      ++matrix;
    });
    CHECK(matrix == names.size());
    CHECK_THROWS_AS(fixed.fix_ternary("blocks.9.attn.wq.weight", {}, 1), Error);
    CHECK_THROWS_AS(fixed.fix_ternary("head.weight", {}, 1), Error);
    CHECK_THROWS_AS(fixed.fix_ternary(names[0], {1, 0, -1}, 1), Error);
    CHECK_THROWS_AS(fixed.fix_ternary(names[0], codes[0], 1), Error);  // a second time
  }
}

TEST_CASE("a table in 16 bits is read as what it is rounded to", "[layers][gpt]") {
  for (const SmallFloats::Kind kind : {SmallFloats::Kind::Half, SmallFloats::Kind::Brain}) {
    LanguageModel rounded = make(baby("full"), 65, 3), held = make(baby("full"), 65, 3);
    SmallFloats values{kind, {}};
    Param* const table = rounded.params().params()[0];
    REQUIRE(table->name == "embedding.token.weight");
    for (size_t i = 0; i < table->size(); ++i) {
      const auto x = static_cast<float>(table->value.data[i]);
      values.values.push_back(kind == SmallFloats::Kind::Half ? float_to_half(x)
                                                              : float_to_bfloat(x));
      table->value.data[i] = values.at(i);
    }
    const auto tokens = random_tokens(32, 65);
    const std::vector<real> before = logits(held, tokens, 1);
    CHECK(held.token_table("embedding.position.weight") == nullptr);
    TokenTable* const tokens_of = held.token_table(table->name);
    REQUIRE(tokens_of != nullptr);
    CHECK_THROWS_AS(tokens_of->hold({kind, {1, 2, 3}}), Error);
    tokens_of->hold(values);
    const std::vector<real> after = logits(held, tokens, 1);
    CHECK(after == logits(rounded, tokens, 1));
    CHECK(after != before);
  }
  GptConfig tied = baby("full");
  tied.tie_embeddings = true;
  LanguageModel model = make(tied, 65);
  CHECK(model.token_table("embedding.token.weight") == nullptr);  // the head multiplies by it
}
