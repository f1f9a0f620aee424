// Encoders: what they are made of, what they compute, and that texts of a batch are strangers.
#include "layers/models/bert.h"

#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "layers/examples.h"
#include "layers/model_test.h"
#include "layers/param_count.h"

using namespace bitlab;

namespace {

BertConfig distilbert(const std::string& linear) {
  BertConfig config;
  config.n_layer = 6;
  config.n_types = 0;
  config.pooler = "relu";
  config.head_dropout = 0.2;
  config.linear = linear;
  config.linear_settings = linear_layers().at(linear).make_config();
  return config;
}

LanguageModel make(const BertConfig& config, size_t vocab = 7, std::uint64_t seed = 1) {
  return {build_bert(config, vocab), bert_output_width(config, vocab), size_t(config.seq_len),
          seed};
}

// Biases and gains away from where they start, so that each is seen.
void stir(LanguageModel& model) {
  const View values = model.params().values();
  std::vector<real> push(values.size());
  Rng(5, "push").fill_normal(0.3, push.data(), push.size());
  for (size_t i = 0; i < push.size(); ++i) values.data[i] += push[i];
  model.prepare(0);
}

std::vector<real> outputs(const LanguageModel& model,
                          const std::vector<std::int32_t>& tokens,
                          const std::vector<size_t>& begins) {
  Pass pass;
  pass.batch = begins.size() - 1;
  pass.seq_len = model.seq_len();
  pass.begins = begins.data();
  pass.tokens = tokens.data();
  const View z = model.logits(pass);
  return {z.data, z.data + z.size()};
}

// One text through the published formulas, in double precision: plain loops over tensors by name.
class Naive {
 public:
  using Matrix = std::vector<std::vector<double>>;

  Naive(LanguageModel& model, const BertConfig& config) : config_(config) {
    for (const Param* p : model.params().params()) params_[p->name] = p;
  }

  std::vector<double> logits(const std::vector<std::int32_t>& tokens) const {
    Matrix pooled = linear({hidden(tokens)[0]}, "pooler");
    for (double& v : pooled[0]) v = config_.pooler == "tanh" ? std::tanh(v) : std::max(v, 0.0);
    return linear(pooled, "classifier")[0];
  }

  // Of the masked language model's head, at one position.
  std::vector<double> token_logits(const std::vector<std::int32_t>& tokens, size_t position) const {
    Matrix x = linear({hidden(tokens)[position]}, "head.dense");
    gelu(x);
    x = norm(x, "head.norm");
    std::vector<double> z = row("head.bias", 0);
    for (size_t v = 0; v < z.size(); ++v) {
      const auto e = row("embedding.token.weight", v);
      for (size_t i = 0; i < e.size(); ++i) z[v] += e[i] * x[0][i];
    }
    return z;
  }

 private:
  Matrix hidden(const std::vector<std::int32_t>& tokens) const {
    Matrix x;
    for (size_t t = 0; t < tokens.size(); ++t) {
      x.push_back(row("embedding.token.weight", size_t(tokens[t])));
      add(x[t], row("embedding.position.weight", t));
      if (config_.n_types) add(x[t], row("embedding.type.weight", 0));
    }
    x = norm(x, "embedding.norm");
    for (int i = 0; i < config_.n_layer; ++i) {
      const std::string block = "blocks." + std::to_string(i);
      x = norm(sum(x, attention(x, block + ".attn")), block + ".norm1");
      Matrix h = linear(x, block + ".ffn.w1");
      gelu(h);
      x = norm(sum(x, linear(h, block + ".ffn.w2")), block + ".norm2");
    }
    return x;
  }
  static void gelu(Matrix& x) {
    for (auto& r : x)
      for (double& v : r) v = 0.5 * v * (1 + std::erf(v / std::sqrt(2.0)));
  }
  std::vector<double> row(const std::string& name, size_t r) const {
    const View v = params_.at(name)->value;
    return {v.row(r), v.row(r) + v.cols};
  }
  static void add(std::vector<double>& a, const std::vector<double>& b) {
    for (size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  }
  static Matrix sum(Matrix a, const Matrix& b) {
    for (size_t t = 0; t < a.size(); ++t) add(a[t], b[t]);
    return a;
  }
  Matrix linear(const Matrix& x, const std::string& name) const {
    const size_t out = params_.at(name + ".weight")->rows;
    Matrix y;
    for (const auto& in : x) {
      y.push_back(row(name + ".bias", 0));
      for (size_t o = 0; o < out; ++o) {
        const auto w = row(name + ".weight", o);
        for (size_t i = 0; i < in.size(); ++i) y.back()[o] += w[i] * in[i];
      }
    }
    return y;
  }
  Matrix norm(Matrix x, const std::string& name) const {
    const auto gain = row(name + ".weight", 0), shift = row(name + ".bias", 0);
    for (auto& r : x) {
      double mean = 0, var = 0;
      for (const double v : r) mean += v / double(r.size());
      for (const double v : r) var += (v - mean) * (v - mean) / double(r.size());
      for (size_t i = 0; i < r.size(); ++i)
        r[i] = (r[i] - mean) / std::sqrt(var + config_.norm_eps) * gain[i] + shift[i];
    }
    return x;
  }
  Matrix attention(const Matrix& x, const std::string& name) const {
    const Matrix q = linear(x, name + ".wq"), k = linear(x, name + ".wk"),
                 v = linear(x, name + ".wv");
    const size_t D = size_t(config_.d_model / config_.n_head);
    Matrix y(x.size(), std::vector<double>(size_t(config_.d_model)));
    for (size_t first = 0; first < y[0].size(); first += D)
      for (size_t t = 0; t < x.size(); ++t) {
        std::vector<double> p(x.size());
        double total = 0;
        for (size_t s = 0; s < x.size(); ++s) {
          double score = 0;
          for (size_t d = first; d < first + D; ++d) score += q[t][d] * k[s][d];
          total += p[s] = std::exp(score / std::sqrt(double(D)));
        }
        for (size_t s = 0; s < x.size(); ++s)
          for (size_t d = first; d < first + D; ++d) y[t][d] += p[s] / total * v[s][d];
      }
    return linear(y, name + ".wo");
  }

  const BertConfig& config_;
  std::map<std::string, const Param*> params_;
};

}  // namespace

TEST_CASE("DistilBERT and bert-tiny with two labels have their published sizes", "[layers][bert]") {
  const LayerPtr full = build_bert(distilbert("full"), 30522);
  CHECK(count_params(*full).total == 66955010);
  CHECK(count_params(*full).ternary == 0);
  const LayerPtr seed = build_bert(distilbert("bitlinear"), 30522);
  CHECK(count_params(*seed).ternary == 43057152);  // pre_classifier too, as seed 0 does it

  BertConfig tiny;
  tiny.n_layer = tiny.n_head = 2;
  tiny.d_model = 128;
  CHECK(count_params(*build_bert(tiny, 30522)).total == 4386178);
  tiny.head = "none";
  CHECK(count_params(*build_bert(tiny, 30522)).total == 4386178 - 128 * 129 - 2 * 129);
}

TEST_CASE("parameters of an encoder have the names that checkpoints are documented with",
          "[layers][bert]") {
  BertConfig config = small_bert("full");
  config.n_layer = 1;
  config.n_types = 2;
  const LanguageModel model = make(config);
  std::vector<std::string> names;
  for (const Param* p : model.params().params()) names.push_back(p->name);
  CHECK(names == std::vector<std::string>{"embedding.token.weight",
                                          "embedding.position.weight",
                                          "embedding.type.weight",
                                          "embedding.norm.weight",
                                          "embedding.norm.bias",
                                          "blocks.0.attn.wq.weight",
                                          "blocks.0.attn.wk.weight",
                                          "blocks.0.attn.wv.weight",
                                          "blocks.0.attn.wq.bias",
                                          "blocks.0.attn.wk.bias",
                                          "blocks.0.attn.wv.bias",
                                          "blocks.0.attn.wo.weight",
                                          "blocks.0.attn.wo.bias",
                                          "blocks.0.norm1.weight",
                                          "blocks.0.norm1.bias",
                                          "blocks.0.ffn.w1.weight",
                                          "blocks.0.ffn.w1.bias",
                                          "blocks.0.ffn.w2.weight",
                                          "blocks.0.ffn.w2.bias",
                                          "blocks.0.norm2.weight",
                                          "blocks.0.norm2.bias",
                                          "pooler.weight",
                                          "pooler.bias",
                                          "classifier.weight",
                                          "classifier.bias"});
}

TEST_CASE("an encoder computes the published formulas", "[layers][bert]") {
  for (const char* pooler : {"tanh", "relu"}) {
    BertConfig config = small_bert("full");
    config.pooler = pooler;
    config.n_types = config.pooler == "tanh" ? 2 : 0;
    config.seq_len = 9;
    LanguageModel model = make(config);
    stir(model);
    for (const size_t length : {1, 2, 9}) {
      const auto tokens = random_tokens(length, 7);
      const std::vector<double> want = Naive(model, config).logits(tokens);
      const std::vector<real> got = logits(model, tokens);
      REQUIRE(got.size() == 3);
      for (size_t i = 0; i < 3; ++i) CHECK(got[i] == Approx(want[i]).margin(2e-4));
    }
  }
}

TEST_CASE("the head of a masked language model computes the published formulas, where it is asked",
          "[layers][bert]") {
  BertConfig config = small_bert("full");
  config.head = "masked-lm";
  config.seq_len = 9;
  LanguageModel model = make(config);
  stir(model);
  const auto tokens = random_tokens(13, 7);
  const std::vector<size_t> begins = {0, 4, 13};
  Pass pass;
  pass.batch = 2;
  pass.seq_len = 9;
  pass.begins = begins.data();
  pass.tokens = tokens.data();
  for (const std::vector<size_t>& rows : {std::vector<size_t>{1, 6, 12}, {3}, {}}) {
    pass.picked = &rows;
    const View z = model.logits(pass);
    REQUIRE(z.rows == rows.size());
    REQUIRE(z.cols == 7);
    for (size_t i = 0; i < rows.size(); ++i) {
      const size_t text = rows[i] < 4 ? 0 : 1;
      const std::vector<std::int32_t> own(tokens.begin() + long(begins[text]),
                                          tokens.begin() + long(begins[text + 1]));
      const auto want = Naive(model, config).token_logits(own, rows[i] - begins[text]);
      for (size_t v = 0; v < 7; ++v) CHECK(z(i, v) == Approx(want[v]).margin(3e-4));
    }
  }
  pass.picked = nullptr;
  CHECK(model.logits(pass).rows == 13);
  std::vector<std::string> names;
  for (const Param* p : model.params().params())
    if (p->name.starts_with("head")) names.push_back(p->name);
  CHECK(names == std::vector<std::string>{"head.dense.weight", "head.dense.bias",
                                          "head.norm.weight", "head.norm.bias", "head.bias"});
}

TEST_CASE("a text of a batch gets the logits that it gets alone, bit by bit", "[layers][bert]") {
  for (const char* linear : {"full", "bitlinear"}) {
    BertConfig config = small_bert(linear);
    config.seq_len = 200;
    config.d_model = 24;
    LanguageModel model = make(config);
    stir(model);
    const std::vector<size_t> begins = {0, 3, 5, 7, 140, 141, 341};
    const auto tokens = random_tokens(begins.back(), 7);
    const std::vector<real> all = outputs(model, tokens, begins);
    REQUIRE(all.size() == 6 * 3);
    for (size_t b = 0; b + 1 < begins.size(); ++b) {
      const std::vector<real> alone =
          logits(model, {tokens.begin() + long(begins[b]), tokens.begin() + long(begins[b + 1])});
      CHECK(std::memcmp(alone.data(), &all[3 * b], 3 * sizeof(real)) == 0);
    }
  }
}

TEST_CASE("every token of a text reaches its logits, from both sides", "[layers][bert]") {
  BertConfig config = small_bert("full");
  LanguageModel model = make(config);
  const auto tokens = random_tokens(5, 6);
  const std::vector<real> before = logits(model, tokens);
  for (size_t t = 0; t < 5; ++t) {
    auto changed = tokens;
    ++changed[t];
    CHECK(logits(model, changed) != before);
  }
}

TEST_CASE("layers that need sequences of one length refuse others", "[layers][bert][errors]") {
  const LanguageModel model(build_bitnet(small_bitnet("full"), 7), 7, 5, 1);
  const auto tokens = random_tokens(5, 7);
  CHECK_THROWS_WITH(outputs(model, tokens, {0, 2, 5}), Catch::Contains("same length"));
  const LanguageModel encoder = make(small_bert("full"));
  CHECK_THROWS_WITH(outputs(encoder, random_tokens(6, 7), {0, 6}), Catch::Contains("at most 5"));
}

TEST_CASE("linear layers are replaced by a predicate on their names", "[layers][bert]") {
  CHECK(name_matches("blocks.0.attn.wq", "wq"));
  CHECK(name_matches("blocks.0.attn.wq", "attn.wq"));
  CHECK(name_matches("blocks.0.attn.wq", "blocks.*"));
  CHECK(name_matches("blocks.0.attn.wq", "blocks.*.w?") == false);
  CHECK(name_matches("pre_classifier", "classifier") == false);  // exactly, as seed 0
  CHECK(name_matches("blocks.10.ffn.w1", "blocks.1.*") == false);

  BertConfig config = small_bert("bitlinear");
  const auto ternary = [&] {
    std::set<std::string> names;
    const LanguageModel model = make(config);
    for (const Param* p : model.params().params())
      if (p->ternary) names.insert(p->name);
    return names;
  };
  CHECK(ternary().size() == 13);  // 2 x 6 and the pooler
  CHECK(ternary().count("classifier.weight") == 0);
  config.ternary.include = {"wq", "blocks.1.ffn.*"};
  config.ternary.exclude = {"blocks.0.attn.wq"};
  CHECK(ternary() == std::set<std::string>{"blocks.1.attn.wq.weight", "blocks.1.ffn.w1.weight",
                                           "blocks.1.ffn.w2.weight"});
  config.ternary.exclude = {"wx"};
  CHECK_THROWS_WITH(ternary(),
                    Catch::Contains("'wx' matches none") && Catch::Contains("blocks.0.attn.wq"));
}

TEST_CASE("a tokenizer with more tokens than the encoder knows is refused",
          "[layers][bert][errors]") {
  BertConfig config = small_bert("full");
  config.vocab_size = 6;
  CHECK_THROWS_AS(build_bert(config, 7), UsageError);
  config.vocab_size = 9;
  CHECK_NOTHROW(build_bert(config, 7));
}
