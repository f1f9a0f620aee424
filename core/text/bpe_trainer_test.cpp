#include "core/text/bpe_trainer.h"

#include <map>

#include "core/base/error.h"
#include "core/text/tokenizer_test.h"

using namespace bitlab;

namespace {

TextReader reader(const std::string& text) {
  return [text](const auto& take) { take(text); };
}

using Ids = std::vector<std::int32_t>;

void merge_all(Ids& t, std::pair<std::int32_t, std::int32_t> pair, std::int32_t id) {
  Ids merged;
  for (std::size_t i = 0; i < t.size(); ++i) {
    const bool here = i + 1 < t.size() && t[i] == pair.first && t[i + 1] == pair.second;
    merged.push_back(here ? id : t[i]);
    i += here ? 1 : 0;
  }
  t = merged;
}

// The definition: all pairs counted again before every merge, in every piece of the text.
std::string naive(const std::string& text, std::size_t vocab_size) {
  const PreTokenizer pre(kLlama3Pattern);
  std::vector<Ids> pieces;
  PreTokenizer::Pieces cut(pre, text);
  for (std::string_view piece; !(piece = cut.next()).empty();) {
    pieces.emplace_back();
    for (const char c : piece) pieces.back().push_back(static_cast<unsigned char>(c));
  }
  ByteBpe::Parts parts;
  for (int b = 0; b < 256; ++b) parts.tokens.emplace_back(1, static_cast<char>(b));
  while (parts.tokens.size() + 1 < vocab_size) {
    std::map<std::pair<std::int32_t, std::int32_t>, int> counts;
    for (const Ids& t : pieces)
      for (std::size_t i = 0; i + 1 < t.size(); ++i) ++counts[{t[i], t[i + 1]}];
    const auto best = std::max_element(counts.begin(), counts.end(), [](auto& a, auto& b) {
      return a.second < b.second;  // the first of the largest
    });
    if (best == counts.end() || best->second < 2) return "";
    const auto pair = best->first;
    const std::string joined = parts.tokens[static_cast<std::size_t>(pair.first)] +
                               parts.tokens[static_cast<std::size_t>(pair.second)];
    auto id = static_cast<std::int32_t>(
        std::find(parts.tokens.begin(), parts.tokens.end(), joined) - parts.tokens.begin());
    if (static_cast<std::size_t>(id) == parts.tokens.size()) parts.tokens.push_back(joined);
    parts.merges.push_back({pair.first, pair.second, id});
    for (Ids& t : pieces) merge_all(t, pair, id);
  }
  parts.pattern = kLlama3Pattern;
  parts.special = {{kEndOfText, static_cast<std::int32_t>(parts.tokens.size())}};
  parts.tokens.emplace_back(kEndOfText);
  return ByteBpe(parts).full_json();
}

}  // namespace

TEST_CASE("the trainer finds the pairs that recounting finds", "[text][bpe][trainer]") {
  std::mt19937_64 rng(11);
  int trained = 0;
  for (int i = 0; i < 60; ++i) {
    std::string text;
    for (std::uint64_t n = 50 + rng() % 1500; n > 0; --n)
      text += i % 3 == 0 ? "ab "[rng() % 3] : "aaabbcd \n."[rng() % 10];
    if (i % 4 == 0) text += random_text(rng, false) + random_text(rng, true);
    const std::size_t vocab_size = 257 + rng() % 40;
    const std::string expected = naive(text, vocab_size);
    INFO(i << ": " << text);
    if (expected.empty()) {
      CHECK_THROWS_AS(train_byte_bpe(reader(text), vocab_size), UsageError);
      continue;
    }
    const ByteBpe t = train_byte_bpe(reader(text), vocab_size);
    CHECK(t.full_json() == expected);
    CHECK(t.vocab_size() == vocab_size);
    CHECK(t.decode(t.encode(text)) == text);
    ++trained;
  }
  CHECK(trained > 40);
}

TEST_CASE("a vocabulary is learned in the order of frequency", "[text][bpe][trainer]") {
  const ByteBpe t = train_byte_bpe(reader("hug hug hug pug pug hugs"), 262);
  CHECK(t.piece(256) == "ug");   // 6 times
  CHECK(t.piece(257) == "hug");  // 4
  CHECK(t.piece(258) == " hug");
  CHECK(t.piece(259) == " p");  // 2, before (p, ug): the lower left id
  CHECK(t.piece(260) == " pug");
  CHECK(t.document_end() == 261);
  CHECK(t.piece(261) == kEndOfText);
  CHECK(t.encode("<|endoftext|>").size() > 1);
  CHECK_THROWS_WITH(train_byte_bpe(reader("hug hug hug pug pug hugs"), 300),
                    Catch::Matchers::Contains("must be at most 262"));
  CHECK_THROWS_AS(train_byte_bpe(reader("abab"), 256), UsageError);
  CHECK(train_byte_bpe(reader(""), 257).vocab_size() == 257);
}

TEST_CASE("a text in parts gives the vocabulary of the whole, in any order",
          "[text][bpe][trainer]") {
  const std::string one = "the cat sat on the mat\n", two = "the dog and the cat\n";
  const auto parts = [&](const auto& take) { take(two), take(one); };
  CHECK(train_byte_bpe(parts, 262).id() == train_byte_bpe(reader(one + two), 262).id());
}

TEST_CASE("bpe is a tokenizer of experiments", "[text][bpe][trainer]") {
  const TokenizerPlugin& plugin = tokenizers().at("bpe");
  const auto config = plugin.make_config();
  struct Set : FieldVisitor {  // vocab_size = 280
    void field(const std::string&, bool&, const FieldInfo&) override {}
    void field(const std::string& name, std::int64_t& value, const FieldInfo&) override {
      if (name == "vocab_size") value = 280;
    }
    void field(const std::string&, double&, const FieldInfo&) override {}
    void field(const std::string&, std::string&, const FieldInfo&) override {}
    void field(const std::string&, std::vector<std::string>&, const FieldInfo&) override {}
    void field(const std::string&, std::vector<std::int64_t>&, const FieldInfo&) override {}
    void begin(const std::string&, const std::string&) override {}
    void end() override {}
    void require(bool, const std::string&, const std::string&, const std::string&) override {}
  } set;
  config->fields(set);
  std::string text;
  for (int i = 0; i < 200; ++i) text += "word" + std::to_string(i % 37) + " ";
  const auto nothing = [](const auto&) { throw Error("test", "only the training split is read"); };
  const auto t = plugin.make({nothing, reader(text)}, *config);
  CHECK(t->vocab_size() == 280);
  CHECK(tokenizer_from_json(t->to_json())->id() == t->id());
}
