#include "core/text/ngram.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/text/char_tokenizer.h"

using namespace bitlab;
namespace fs = std::filesystem;

namespace {

// The definition, with a scan of the whole training split for every token.
double naive_loss(const std::vector<std::int32_t>& train,
                  const std::vector<std::int32_t>& split,
                  int vocab_size,
                  std::size_t order) {
  double sum = 0;
  for (std::size_t i = order - 1; i < split.size(); ++i) {
    double together = 0, context = 0;
    for (std::size_t j = order - 1; j < train.size(); ++j) {
      bool same = true;
      for (std::size_t k = 1; k < order; ++k) same = same && train[j - k] == split[i - k];
      context += same;
      together += same && train[j] == split[i];
    }
    sum -= std::log((together + 0.1) / (context + 0.1 * vocab_size));
  }
  return sum / static_cast<double>(split.size() - order + 1);
}

// Tiny Shakespeare from a mirror, or empty.
std::string tiny_shakespeare() {
  const char* mirror = std::getenv("BITLAB_MIRROR");
  const char* source = std::getenv("BITLAB_SOURCE_DIR");
  const fs::path folder =
      mirror != nullptr ? fs::path(mirror) : fs::path(source ? source : ".") / "../shared/data";
  const fs::path file = folder / "tinyshakespeare" / "input.txt";
  return fs::exists(file) ? read_file(file) : "";
}

}  // namespace

TEST_CASE("n-gram losses are what their definition says", "[text][ngram]") {
  const std::vector<std::int32_t> train = {0, 1, 2, 0, 1, 1, 2, 0, 3, 1, 2, 0, 1, 2, 2};
  const std::vector<std::int32_t> val = {1, 2, 0, 4, 1, 2, 3, 0};
  const auto losses = ngram_losses(train, val, 5, 4);
  REQUIRE(losses.size() == 4);
  for (const NgramLoss& l : losses) {
    CHECK(l.loss ==
          Approx(naive_loss(train, val, 5, static_cast<std::size_t>(l.order))).epsilon(1e-12));
    CHECK(l.train_loss ==
          Approx(naive_loss(train, train, 5, static_cast<std::size_t>(l.order))).epsilon(1e-12));
  }
  CHECK(losses[0].name == "unigram");
  CHECK(losses[1].name == "bigram");
  CHECK(losses[2].name == "trigram");
  CHECK(losses[3].name == "4-gram");
}

TEST_CASE("n-grams that cannot be counted are refused", "[text][ngram]") {
  const std::vector<std::int32_t> tokens(10, 0);
  CHECK_THROWS_AS(ngram_losses(tokens, tokens, 100000, 4), Error);
  CHECK_THROWS_AS(ngram_losses(tokens, {tokens.data(), 3}, 5, 4), Error);
}

// Counted by an independent program. 3.309, which is sometimes given for the unigram table, is its
// loss on the training split.
TEST_CASE("the reference lines of Tiny Shakespeare are reproduced", "[text][ngram][data]") {
  const std::string text = tiny_shakespeare();
  if (text.empty()) {
    WARN("SKIPPED: Tiny Shakespeare is not in BITLAB_MIRROR");
    return;
  }
  const CharTokenizer tokenizer = CharTokenizer::from_text(text);
  CHECK(tokenizer.vocab_size() == 65);
  const auto tokens = tokenizer.encode(text);
  CHECK(tokenizer.decode(tokens) == text);
  const std::span<const std::int32_t> all(tokens);
  const auto losses = ngram_losses(all.first(1003854), all.subspan(1003854), 65, 5);
  CHECK(losses[0].train_loss == Approx(3.309).margin(0.0005));
  CHECK(losses[0].loss == Approx(3.3473).margin(0.0001));
  CHECK(losses[1].loss == Approx(2.484).margin(0.0005));
  CHECK(losses[2].loss == Approx(2.046).margin(0.0005));
  CHECK(losses[3].loss == Approx(1.784).margin(0.0005));
  CHECK(losses[4].loss == Approx(1.788).margin(0.0005));
}
