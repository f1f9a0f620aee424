#include "core/data/corpus.h"

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/data/test_corpus.h"
#include "core/data/tokenised_corpus.h"
#include "core/io/losses.h"
#include "core/text/char_tokenizer.h"

using namespace bitlab;

namespace {

TokenizerChoice chars() {
  return {"char",
          [](const TokenizerTexts& texts) {
            return std::make_shared<CharTokenizer>(CharTokenizer::from_text(texts.all));
          },
          true};
}

std::string gathered(const TextReader& reader) {
  std::string text;
  reader([&](std::string_view piece) { text += piece; });
  return text;
}

struct Cut {
  std::string train, val, test;
};
Cut cut(const Corpus& corpus, double val_fraction) {
  Cut result;
  read_splits(corpus, measure(corpus), val_fraction, [&](const TextPart& part) {
    CHECK(part.split != TextSplit::Whole);
    (part.split == TextSplit::Train ? result.train
     : part.split == TextSplit::Val ? result.val
                                    : result.test) +=
        std::string(part.text) + (part.ends_document ? "|" : "");
  });
  return result;
}

}  // namespace

TEST_CASE("a text is cut as int(0.9 * n) cuts it", "[data][corpus]") {
  std::string text(1115394, 'a');  // the size of Tiny Shakespeare
  text[1003853] = 'b';
  text[1003854] = 'c';
  const LmDataset data = tokenise(TextCorpus("x", text), chars(), 0.1).splits;
  CHECK(data.train.size() == 1003854);
  CHECK(data.val.size() == 111540);
  CHECK(data.train[1003853] == 1);
  CHECK(data.val[0] == 2);
  CHECK(data.train_bytes == 1003854);
  CHECK(data.val_bytes == 111540);
  CHECK_THROWS_AS(tokenise(TextCorpus("x", text), chars(), 0.0), Error);
  CHECK_THROWS_AS(tokenise(TextCorpus("x", text), chars(), 1.0), Error);
}

TEST_CASE("the cut is before the character that it would fall into", "[data][corpus]") {
  const std::string text = "ab\u00e9\u00e9\u4e2d";  // 9 bytes
  for (const auto& [fraction, head] : {std::pair(0.6, 2), {0.5, 4}, {0.4, 4}, {0.3, 6}, {0.1, 6}}) {
    const Cut c = cut(TextCorpus("x", text), fraction);
    CHECK(c.train == text.substr(0, static_cast<std::size_t>(head)) + "|");
    CHECK(c.val == text.substr(static_cast<std::size_t>(head)) + "|");
  }
}

TEST_CASE("a corpus is cut by its length, its own splits stay", "[data][corpus]") {
  using Split = TextSplit;
  const TestCorpus corpus({{Split::Whole, "0123", true},
                           {Split::Test, "test", true},
                           {Split::Whole, "45", false},
                           {Split::Whole, "67", true},
                           {Split::Val, "val", true},
                           {Split::Whole, "89", true}});
  CHECK(measure(corpus).whole_bytes == 10);
  CHECK(measure(corpus).bytes == 17);
  CHECK(measure(corpus).documents == 5);
  CHECK(measure(corpus).sha256 == sha256_hex("0123\xfftest\xff"
                                             "4567\xffval\xff"
                                             "89"));
  const auto check = [&](double fraction, const std::string& train, const std::string& val) {
    const Cut c = cut(corpus, fraction);
    CHECK(c.train == train);
    CHECK(c.val == val);
    CHECK(c.test == "test|");
  };
  check(0.79, "01|", "23|4567|val|89|");
  check(0.6, "0123|", "4567|val|89|");
  check(0.5, "0123|4|", "567|val|89|");
  check(0.4, "0123|45", "67|val|89|");
  check(0.1, "0123|4567|8|", "val|9|");
  const TokenizerTexts texts = tokenizer_texts(corpus, measure(corpus), 0.5);
  CHECK(gathered(texts.train) == "0123\n4");
  CHECK(gathered(texts.all) == "0123\ntest\n4\n567\nval\n89");
}

TEST_CASE("documents have an end between them", "[data][corpus]") {
  const TestCorpus corpus({{TextSplit::Train, "ab", true},
                           {TextSplit::Train, "", true},
                           {TextSplit::Train, "b", false},
                           {TextSplit::Train, "a", true},
                           {TextSplit::Val, "a", true},
                           {TextSplit::Val, "b", true}});
  const TokenisedCorpus t = tokenise(corpus, chars(), 0.1);  // the vocabulary is \n, a, b
  CHECK(t.splits.train.to_vector() == std::vector<std::int32_t>{1, 2, 0, 0, 2, 1});
  CHECK(t.splits.train_bytes == 6);
  CHECK(t.splits.val.to_vector() == std::vector<std::int32_t>{1, 0, 2});
  CHECK(t.splits.test.size() == 0);
  CHECK(bits_per_byte(std::log(2.0), 6, 3) == Approx(2));
}

TEST_CASE("what is not UTF-8, and nothing, is refused with the place", "[data][corpus]") {
  const TestCorpus bad({{TextSplit::Whole, "ok", true},
                        {TextSplit::Whole, "abc", false, "shelf/b.txt"},
                        {TextSplit::Whole, "d\xff", true, "shelf/b.txt"}});
  CHECK_THROWS_WITH(measure(bad), Catch::Matchers::Contains("[shelf/b.txt]") &&
                                      Catch::Matchers::Contains("byte 4 "));
  CHECK_THROWS_AS(measure(TestCorpus({})), Error);
  CHECK_THROWS_AS(measure(TextCorpus("x", "")), Error);
}
