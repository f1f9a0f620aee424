// The b1.58 family: what it is made of, and what each of its parts promises.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <set>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/ops/rope.h"
#include "layers/examples.h"
#include "layers/model_test.h"
#include "layers/models/registry.h"
#include "layers/norms.h"
#include "layers/param_count.h"

using namespace bitlab;

namespace {

constexpr size_t kVocab = 31, kLength = 24;

BitnetConfig medium(const std::string& linear) {
  BitnetConfig config = small_bitnet(linear);
  config.d_model = 32;
  config.d_ff = 48;
  config.seq_len = kLength;
  config.init_std = 0.2;  // attention that is not uniform
  return config;
}

LanguageModel make(const BitnetConfig& config, std::uint64_t seed = 1) {
  return {build_bitnet(config, kVocab), kVocab, static_cast<size_t>(config.seq_len), seed};
}

std::vector<std::string> names(const BitnetConfig& config) {
  std::vector<std::string> found;
  const LanguageModel model = make(config);
  for (const Param* p : model.params().params())
    found.push_back(p->name + " " + std::to_string(p->rows) + "x" + std::to_string(p->cols));
  return found;
}

// Collects the rules that settings break.
struct BrokenRules : FieldVisitor {
  std::string text;
  void field(const std::string&, bool&, const FieldInfo&) override {}
  void field(const std::string&, std::int64_t&, const FieldInfo&) override {}
  void field(const std::string&, double&, const FieldInfo&) override {}
  void field(const std::string&, std::string&, const FieldInfo&) override {}
  void field(const std::string&, std::vector<std::string>&, const FieldInfo&) override {}
  void field(const std::string&, std::vector<std::int64_t>&, const FieldInfo&) override {}
  void begin(const std::string&, const std::string&) override {}
  void end() override {}
  void require(bool holds,
               const std::string& name,
               const std::string& must,
               const std::string&) override {
    if (!holds) text += (text.empty() ? "" : "; ") + name + " " + must;
  }
};

// Points of the family that differ in every part.
std::vector<BitnetConfig> points() {
  std::vector<BitnetConfig> all;
  for (const char* linear : {"full", "bitlinear"})
    for (const char* ffn : {"swiglu", "relu2_glu", "relu2", "gelu"}) {
      BitnetConfig c = medium(linear);
      c.ffn = ffn;
      c.sub_norm = c.ffn != "swiglu";
      c.norm = c.ffn == "gelu" ? "layernorm" : c.ffn == "relu2" ? "centering" : "rmsnorm";
      c.norm_settings = norm_layers().at(c.norm).make_config();
      c.n_kv_head = c.ffn == "relu2" ? 1 : c.ffn == "gelu" ? 0 : 2;
      c.tie_embeddings = c.ffn == "swiglu";
      c.share_inputs = c.ffn != "relu2";
      c.block_norm = c.linear == "full" || c.ffn != "swiglu";
      if (c.linear == "bitlinear" && c.ffn == "relu2") c.head = "bitlinear";
      all.push_back(std::move(c));
    }
  return all;
}

}  // namespace

TEST_CASE("parameters of the family have the names that checkpoints are documented with",
          "[layers][bitnet]") {
  BitnetConfig c = small_bitnet("full");
  c.n_layer = 1;
  CHECK(names(c) ==
        std::vector<std::string>{"embedding.weight 31x8", "blocks.0.norm1.weight 1x8",
                                 "blocks.0.attn.wq.weight 8x8", "blocks.0.attn.wk.weight 4x8",
                                 "blocks.0.attn.wv.weight 4x8", "blocks.0.attn.wo.weight 8x8",
                                 "blocks.0.norm2.weight 1x8", "blocks.0.ffn.w_gate.weight 6x8",
                                 "blocks.0.ffn.w_up.weight 6x8", "blocks.0.ffn.w_down.weight 8x6",
                                 "final_norm.weight 1x8"});
  c.sub_norm = true;
  c.tie_embeddings = false;
  c.ffn = "relu2";
  c.d_head = 6;
  CHECK(names(c) == std::vector<std::string>{
                        "embedding.weight 31x8", "blocks.0.norm1.weight 1x8",
                        "blocks.0.attn.wq.weight 24x8", "blocks.0.attn.wk.weight 12x8",
                        "blocks.0.attn.wv.weight 12x8", "blocks.0.attn.sub_norm.weight 1x24",
                        "blocks.0.attn.wo.weight 8x24", "blocks.0.norm2.weight 1x8",
                        "blocks.0.ffn.w1.weight 6x8", "blocks.0.ffn.sub_norm.weight 1x6",
                        "blocks.0.ffn.w2.weight 8x6", "final_norm.weight 1x8", "head.weight 31x8"});
  BitnetConfig inside = small_bitnet("bitlinear");
  inside.n_layer = 1;
  inside.block_norm = inside.tie_embeddings = inside.share_inputs = false;
  inside.head = "bitlinear";
  const std::vector<std::string> found = names(inside);
  for (const char* name : {"blocks.0.attn.wq.norm.weight 1x8", "blocks.0.attn.wv.norm.weight 1x8",
                           "blocks.0.ffn.w_up.norm.weight 1x8",
                           "blocks.0.ffn.w_down.norm.weight 1x6", "head.norm.weight 1x8"}) {
    INFO(name);
    CHECK(std::count(found.begin(), found.end(), name) == 1);
  }
}

TEST_CASE("a future token never changes an earlier logit of the family",
          "[layers][bitnet][causal]") {
  for (const BitnetConfig& config : points()) {
    INFO(config.linear << ", " << config.ffn);
    const LanguageModel model = make(config);
    const auto tokens = random_tokens(2 * kLength, kVocab);
    const std::vector<real> before = logits(model, tokens, 2);
    for (size_t t = 0; t < kLength; ++t) {
      auto changed = tokens;
      for (size_t s = t; s < kLength; ++s)
        changed[s] = static_cast<std::int32_t>((static_cast<size_t>(tokens[s]) + 1 + s) % kVocab);
      const std::vector<real> after = logits(model, changed, 2);
      REQUIRE(std::memcmp(before.data(), after.data(), t * kVocab * sizeof(real)) == 0);
      REQUIRE(std::memcmp(&before[t * kVocab], &after[t * kVocab], kVocab * sizeof(real)) != 0);
      const size_t other = kLength * kVocab;
      REQUIRE(std::memcmp(&before[other], &after[other], other * sizeof(real)) == 0);
    }
  }
}

TEST_CASE("a fresh model of the family predicts nothing", "[layers][bitnet]") {
  for (const BitnetConfig& config : points()) {
    INFO(config.linear << ", " << config.ffn);
    BitnetConfig fresh = medium(config.linear);
    fresh.ffn = config.ffn;
    fresh.init_std = 0.02;
    const LanguageModel model = make(fresh);
    const auto tokens = random_tokens(4 * kLength, kVocab);
    std::vector<std::int32_t> targets(tokens.rbegin(), tokens.rend());  // not the tokens themselves
    Pass pass;
    pass.batch = 4;
    pass.seq_len = kLength;
    pass.tokens = tokens.data();
    CHECK(model.loss(pass, targets.data()) / (4 * kLength) ==
          Approx(std::log(kVocab)).epsilon(0.03));
  }
}

TEST_CASE("the llama twin starts with the values of every tensor that it shares",
          "[layers][bitnet]") {
  BitnetConfig ternary = medium("bitlinear");
  bitlinear_settings(ternary).norm = "none";
  LanguageModel twin = make(medium("full"), 7), model = make(ternary, 7);
  REQUIRE(twin.params().params().size() == model.params().params().size());
  for (size_t i = 0; i < twin.params().params().size(); ++i) {
    const Param &a = *twin.params().params()[i], &b = *model.params().params()[i];
    CHECK(a.name == b.name);
    CHECK(std::equal(a.value.data, a.value.data + a.size(), b.value.data));
  }
}

TEST_CASE("grouped heads equal full ones whose keys and values repeat", "[layers][bitnet]") {
  BitnetConfig grouped = medium("full"), repeated = medium("full");
  repeated.n_kv_head = 4;
  for (const std::int64_t kv : {1, 2, 4}) {
    grouped.n_kv_head = kv;
    const LanguageModel a = make(grouped);
    LanguageModel b = make(repeated);
    std::map<std::string, const Param*> by_name;
    for (const Param* p : a.params().params()) by_name[p->name] = p;
    for (Param* p : b.params().params()) {
      const Param& from = *by_name.at(p->name);
      const size_t head = 8 * p->cols, times = p->rows / from.rows;  // d_head 8
      if (times == 1 && from.size() == p->size()) {
        std::copy_n(from.value.data, p->size(), p->value.data);
        continue;
      }
      for (size_t h = 0; h < 4; ++h)
        std::copy_n(from.value.data + h / times * head, head, p->value.data + h * head);
    }
    const auto tokens = random_tokens(kLength, kVocab);
    const std::vector<real> want = logits(b, tokens);
    CHECK(logits(a, tokens) == want);
  }
}

TEST_CASE("rope agrees with Hugging Face's rotate-half", "[ops][rope]") {
  // apply_rotary_pos_emb of transformers' LLaMA, by hand: width 8, base 10000.
  const std::vector<real> x = {0.5, -1.0, 2.0, 0.25, 1.5, -0.75, -0.5, 1.0};
  const std::map<size_t, std::vector<double>> want = {
      {1, {-0.9920553, -0.9201291, 2.0049, 0.2489999, 1.231189, -0.8460866, -0.4799753, 1.00025}},
      {7, {-0.6085288, -0.281679, 2.030073, 0.2429939, 1.459347, -1.217849, -0.3588898, 1.001725}},
      {2047,
       {1.577337, 0.5220209, 0.4001306, -1.003344, -0.1095868, 1.135779, 2.022349, -0.2362233}}};
  const RopeTable table(2048, 8, 1e4);
  for (const auto& [position, values] : want) {
    std::vector<real> y = x;
    rope_rotate(table, {y.data(), 1, 8}, {0, 1, 8}, 1, position, false);
    for (size_t i = 0; i < 8; ++i) CHECK(y[i] == Approx(values[i]).margin(3e-4));
    rope_rotate(table, {y.data(), 1, 8}, {0, 1, 8}, 1, position, true);
    for (size_t i = 0; i < 8; ++i) CHECK(y[i] == Approx(x[i]).margin(1e-6));
  }
  CHECK_THROWS_AS(rope_rotate(table, {nullptr, 1, 8}, {0, 1, 8}, 1, 2048, false), Error);
  CHECK_THROWS_AS(RopeTable(4, 3, 1e4), Error);
}

TEST_CASE("a product of rotated vectors depends on the distance of their positions only",
          "[ops][rope]") {
  const size_t width = 16, positions = 300;
  const RopeTable table(positions, width, 5e5);
  std::vector<real> q(width), k(width);
  Rng(3, "q").fill_normal(1, q.data(), width);
  Rng(3, "k").fill_normal(1, k.data(), width);
  const auto product = [&](size_t at_q, size_t at_k) {
    std::vector<real> a = q, b = k;
    rope_rotate(table, {a.data(), 1, width}, {0, 1, width}, 1, at_q, false);
    rope_rotate(table, {b.data(), 1, width}, {0, 1, width}, 1, at_k, false);
    double sum = 0;
    for (size_t i = 0; i < width; ++i) sum += double(a[i]) * double(b[i]);
    return sum;
  };
  for (const size_t distance : {0, 1, 17, 250}) {
    const double want = product(distance, 0);
    for (const size_t shift : {1, 5, 49})
      CHECK(product(distance + shift, shift) == Approx(want).margin(1e-5));
  }
  CHECK(std::fabs(product(1, 0) - product(0, 0)) > 1e-3);
}

TEST_CASE("positions beyond seq_len are refused", "[layers][bitnet][errors]") {
  const LanguageModel model = make(small_bitnet("full"));
  CHECK_THROWS_AS(logits(model, random_tokens(6, kVocab)), Error);
}

TEST_CASE("a vocabulary that does not fit and a size that was not meant are refused",
          "[layers][bitnet][errors]") {
  const auto refusal = [](const BitnetConfig& config) -> std::string {
    try {
      build_bitnet(config, 7);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  BitnetConfig config = small_bitnet("full");
  config.vocab_size = 7;
  CHECK(refusal(config).empty());
  config.vocab_size = 6;
  CHECK(refusal(config) ==
        "[model.vocab_size] must be at least the tokenizer's 7, but is 6; 0 takes the "
        "tokenizer's");
  config.vocab_size = 1000;
  CHECK(count_params(*build_bitnet(config, 7)).total == 8712);
  config.size_check = "8K..9K";
  CHECK(refusal(config).empty());
  config.size_check = "1M..1.5M";
  CHECK(refusal(config) ==
        "[model.size_check] the model must have 1M..1.5M parameters, but these settings give "
        "8,712; model.size_check=\"\" builds it all the same");
  for (const char* range : {"1M", "2M..1M", "1M..2Mx", "..", "a..b", "-1..2"}) {
    config.size_check = range;
    CHECK(refusal(config).find("must be a range such as") != std::string::npos);
  }
  CHECK(models().at("bitnet").logits_width(config, 7) == 1000);
}

TEST_CASE("settings of the family that contradict each other are refused",
          "[layers][bitnet][errors]") {
  const auto problem = [](const std::function<void(BitnetConfig&)>& change) {
    BitnetConfig config = small_bitnet("full");
    change(config);
    BrokenRules rules;
    config.fields(rules);
    return rules.text;
  };
  CHECK(problem([](BitnetConfig& c) { c.n_kv_head = 4; }).empty());
  CHECK(problem([](BitnetConfig& c) { c.n_kv_head = 3; }) == "n_kv_head must divide n_head = 4");
  CHECK(problem([](BitnetConfig& c) { c.n_head = c.n_kv_head = 3; }) ==
        "n_head must divide d_model = 8");
  CHECK(problem([](BitnetConfig& c) { c.n_head = 8; }) ==
        "n_head must give heads of an even width for rotary positions");
  CHECK(problem([](BitnetConfig& c) { c.d_head = 3; }) ==
        "d_head must give heads of an even width for rotary positions");
  CHECK(problem([](BitnetConfig& c) {
          c.tie_embeddings = false;
          c.head = "bitlinear";
        }) == "head must be full where linear = \"full\"");
  CHECK(problem([](BitnetConfig& c) { c.linear = c.head = "bitlinear"; }) ==
        "head must be full where tie_embeddings = true");
}
