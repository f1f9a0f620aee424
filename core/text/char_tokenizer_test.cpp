#include "core/text/char_tokenizer.h"

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/text/utf8.h"

using namespace bitlab;

namespace {

std::string refusal(const CharTokenizer& tokenizer, const std::string& text) {
  try {
    tokenizer.encode(text);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("characters are numbered in the order of their code points", "[text]") {
  const CharTokenizer tokenizer = CharTokenizer::from_text("hello\nWorld");
  CHECK(tokenizer.vocab_size() == 8);  // \n W d e h l o r
  CHECK(tokenizer.encode("held\nWo") == std::vector<std::int32_t>{4, 3, 5, 2, 0, 1, 6});
  CHECK(tokenizer.decode(tokenizer.encode("hello\nWorld")) == "hello\nWorld");
  CHECK(tokenizer.encode("").empty());
}

TEST_CASE("a character is one of Unicode, not a byte", "[text]") {
  const std::string text = "z\u00e9a\u20ac\U0001F600\u00e9";  // one to four bytes
  const CharTokenizer tokenizer = CharTokenizer::from_text(text);
  CHECK(tokenizer.vocab_size() == 5);
  CHECK(tokenizer.encode(text) == std::vector<std::int32_t>{1, 2, 0, 3, 4, 2});
  CHECK(tokenizer.decode(tokenizer.encode(text)) == text);
  std::string piecewise;
  for (const std::int32_t token : tokenizer.encode(text))
    piecewise += tokenizer.decode({&token, 1});
  CHECK(piecewise == text);
}

TEST_CASE("what is not in the vocabulary is refused by name and place", "[text]") {
  const CharTokenizer tokenizer = CharTokenizer::from_text("abc\u00e9");
  CHECK(refusal(tokenizer, "abx").find("byte 2 begins 'x'") != std::string::npos);
  CHECK(refusal(tokenizer, "a\r\n").find("character number 13") != std::string::npos);
  CHECK(refusal(tokenizer, "a\u00e8").find("'\u00e8'") != std::string::npos);
  CHECK(refusal(tokenizer, "ab\xff").find("UTF-8") != std::string::npos);
  CHECK_THROWS_AS(tokenizer.decode(std::vector<std::int32_t>{4}), Error);
  CHECK_THROWS_AS(tokenizer.decode(std::vector<std::int32_t>{-1}), Error);
  CHECK_THROWS_AS(CharTokenizer::from_text(""), Error);
  CHECK_THROWS_AS(CharTokenizer::from_text("a\x80"), Error);
}

TEST_CASE("a tokenizer comes back from its JSON", "[text]") {
  const CharTokenizer tokenizer = CharTokenizer::from_text("a\"\\\n\x01\u20ac");
  const auto again = tokenizer_from_json(tokenizer.to_json());
  CHECK(again->encode("\u20aca\n") == tokenizer.encode("\u20aca\n"));
  CHECK(again->id() == tokenizer.id());
  CHECK(again->id() != CharTokenizer::from_text("ab").id());
  CHECK(CharTokenizer::from_text("b\na").to_json() ==
        R"({"type":"char","characters":["\n","a","b"]})");
  for (const char* broken :
       {"", "[]", "{}", R"({"type":"bpe","characters":["a"]})", R"({"type":"char"})",
        R"({"type":"char","characters":["a","a"]})", R"({"type":"char","characters":["ab"]})",
        R"({"type":"char","characters":[1]})"})
    CHECK_THROWS_AS(tokenizer_from_json(broken), Error);
}

TEST_CASE("only well-formed UTF-8 has a length", "[text]") {
  CHECK(utf8_length("a", 0) == 1);
  CHECK(utf8_length("\xc2\x80", 0) == 2);
  CHECK(utf8_length("\xe0\xa0\x80", 0) == 3);
  CHECK(utf8_length("\xf0\x90\x80\x80", 0) == 4);
  CHECK(utf8_length("\xf4\x8f\xbf\xbf", 0) == 4);
  for (const char* bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc2", "\xe2\x82", "\xc2\x41", "\xff"})
    CHECK(utf8_length(bad, 0) == 0);
}
