// Generation with and without a cache of keys and values, beyond the context, and where it ends.
#include "experiments/generate.h"

#include "core/base/catch.h"
#include "core/base/error.h"
#include "layers/linear.h"
#include "layers/models/bitnet.h"
#include "layers/models/gpt.h"

namespace bitlab {
namespace {

constexpr std::size_t kVocab = 23;

LanguageModel small_model(const std::string& kind) {
  constexpr std::size_t length = 16;
  if (kind.starts_with("gpt")) {
    GptConfig config;
    config.n_layer = 2;
    config.n_head = 2;
    config.d_model = 16;
    config.seq_len = length;
    if (kind == "gpt ternary") {
      config.linear = "bitlinear";
      config.linear_settings = linear_layers().at("bitlinear").make_config();
    }
    config.init_std = 0.5;
    return LanguageModel(build_gpt(config, kVocab), kVocab, length, 3);
  }
  BitnetConfig config;
  config.n_layer = 2;
  config.n_head = 4;
  config.n_kv_head = kind == "llama" ? 2 : 1;
  config.d_model = 16;
  config.d_ff = 24;
  config.seq_len = length;
  config.init_std = 0.5;
  config.tie_embeddings = false;
  if (kind == "bitnet") {
    config.linear = "bitlinear";
    config.linear_settings = linear_layers().at("bitlinear").make_config();
    config.sub_norm = true;
  }
  return LanguageModel(build_bitnet(config, kVocab), kVocab, length, 3);
}

std::vector<std::int32_t> made(const LanguageModel& model,
                               const std::vector<std::int32_t>& prompt,
                               const GenerateOptions& options) {
  std::vector<std::int32_t> tokens;
  generate(model, prompt, options, [&](std::int32_t token) {
    tokens.push_back(token);
    return true;
  });
  return tokens;
}

// One pass over the window for each token, as the header says it.
std::vector<std::int32_t> reference(const LanguageModel& model,
                                    std::vector<std::int32_t> tokens,
                                    const GenerateOptions& options) {
  std::vector<std::int32_t> added;
  std::size_t first = 0;
  for (std::size_t i = 0; i < options.max_tokens; ++i) {
    while (tokens.size() - first > model.seq_len()) first += model.seq_len() / 4;
    Pass pass;
    pass.batch = 1;
    pass.seq_len = tokens.size() - first;
    pass.tokens = tokens.data() + first;
    const View z = model.logits(pass);
    added.push_back(sample_token({z.row(z.rows - 1), z.cols}, options.sampling, tokens, i));
    tokens.push_back(added.back());
  }
  return added;
}

}  // namespace

TEST_CASE("generation with and without a cache gives the same tokens", "[generate]") {
  for (const char* kind : {"gpt", "gpt ternary", "llama", "bitnet"}) {
    const LanguageModel model = small_model(kind);
    for (const double temperature : {0.0, 1.0})
      for (const std::size_t length : {1, 5, 16, 17, 40}) {
        INFO(kind << ", temperature " << temperature << ", prompt of " << length);
        std::vector<std::int32_t> prompt(length);
        for (std::size_t i = 0; i < length; ++i)
          prompt[i] = static_cast<std::int32_t>((7 * i + 3) % kVocab);
        GenerateOptions options;
        options.max_tokens = 45;  // beyond the context, several times
        options.sampling.temperature = temperature;
        options.cache = false;
        const auto plain = made(model, prompt, options);
        REQUIRE(plain == reference(model, prompt, options));
        options.cache = true;
        for (const std::size_t chunk : {1, 3, 16, 256}) {
          options.chunk = chunk;
          REQUIRE(made(model, prompt, options) == plain);
        }
      }
  }
}

TEST_CASE("the window drops its oldest quarter when it is full", "[generate]") {
  CHECK(window_begin(0, 16) == 0);
  CHECK(window_begin(16, 16) == 0);
  CHECK(window_begin(17, 16) == 4);
  CHECK(window_begin(20, 16) == 4);
  CHECK(window_begin(21, 16) == 8);
  CHECK(window_begin(100, 3) == 97);  // a quarter is one token at least
  CHECK(window_begin(9, 1) == 8);
}

TEST_CASE("generation ends with its tokens, an end token, or when it is told", "[generate]") {
  const LanguageModel model = small_model("llama");
  GenerateOptions options;
  options.max_tokens = 30;
  const auto all = made(model, {1}, options);
  REQUIRE(all.size() == 30);
  options.end_tokens = {-1, all[7]};
  const auto first =
      static_cast<std::size_t>(std::find(all.begin(), all.end(), all[7]) - all.begin());
  CHECK(made(model, {1}, options) ==
        std::vector<std::int32_t>(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(first)));
  options.end_tokens.clear();
  std::size_t count = 0;
  const GenerateStats stats =
      generate(model, {1, 2, 3}, options, [&](std::int32_t) { return ++count < 4; });
  CHECK(count == 4);
  CHECK(stats.prompt_tokens == 3);
  CHECK(stats.new_tokens == 4);
  CHECK(stats.decode_seconds > 0);
  options.max_tokens = 0;
  CHECK(made(model, {1}, options).empty());
  CHECK_THROWS_AS(made(model, {}, options), Error);
}

}  // namespace bitlab
