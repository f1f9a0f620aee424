#include "core/text/word_piece.h"

#include "core/base/error.h"
#include "core/text/tokenizer_test.h"

using namespace bitlab;

namespace {

using Ids = std::vector<std::int32_t>;

WordPiece small() {
  return WordPiece({"[PAD]",  "[UNK]", "[CLS]",  "[SEP]",  "[MASK]",   "un",    "##aff",
                    "##able", "!",     "cafe",   "\u4e2d", "a",        "##a",   "[",
                    "cls",    "]",     "\u03c3", "\u1100", "##\u1161", "\u2014"});
}

}  // namespace

TEST_CASE("words are cut into their longest pieces", "[text][wordpiece]") {
  const WordPiece t = small();
  CHECK(t.encode("unaffable") == Ids{5, 6, 7});
  CHECK(t.encode("UNaffABLE!!") == Ids{5, 6, 7, 8, 8});
  CHECK(t.encode("unaffx a") == Ids{1, 11});  // no part of a word that has no end
  CHECK(t.encode("aaa") == Ids{11, 12, 12});
  CHECK(t.encode("") == Ids{});
  CHECK(t.encode(" \t\r\n ") == Ids{});
}

TEST_CASE("text is cleaned, folded and split as BERT does", "[text][wordpiece]") {
  const WordPiece t = small();
  CHECK(t.encode("Caf\u00e9 cafe\u0301 CAF\u00c9") == Ids{9, 9, 9});
  CHECK(t.encode("c\u0327a\u0307\u0323fe") == Ids{9});  // any marks, in any order
  CHECK(t.encode("caf\x01\u200b\u0301"
                 "e") == Ids{9});  // control and format characters
  CHECK(t.encode(std::string_view("ca\0fe", 5)) == Ids{9});
  CHECK(t.encode("ca\ufffdfe\ue000") == Ids{9});
  CHECK(t.encode("a\u4e2da") == Ids{11, 10, 11});  // a Chinese character is a word
  CHECK(t.encode("a\u00a0a\u2003a\u2028a\u3000a") == Ids{11, 11, 11, 11, 11});
  CHECK(t.encode("a\va\fa\u0085"
                 "a") == Ids{11, 12, 12, 12});     // controls, not white space
  CHECK(t.encode("a\u2014a") == Ids{11, 19, 11});  // Unicode punctuation
  CHECK(t.encode("\u03a3") == Ids{16});            // never a final sigma
  CHECK(t.encode("\uac00") == Ids{17, 18});        // Hangul decomposes
}

TEST_CASE("a word has at most 100 characters", "[text][wordpiece]") {
  const WordPiece t = small();
  CHECK(t.encode(std::string(100, 'a')).size() == 100);
  CHECK(t.encode(std::string(101, 'a')) == Ids{1});
  std::string accents;  // characters are counted after folding, and not bytes
  for (int i = 0; i < 100; ++i) accents += "\u00e1";
  CHECK(t.encode(accents).size() == 100);
  CHECK(t.encode(accents + "a") == Ids{1});
  CHECK(t.encode(std::string(3'000'000, 'a') + " a") == Ids{1, 11});
}

TEST_CASE("special tokens by choice, and truncation within them", "[text][wordpiece]") {
  const WordPiece t = small();
  CHECK(t.encode("[CLS]a") == Ids{13, 14, 15, 11});
  CHECK(t.encode("[CLS]a[MASK]", {.special = true}) == Ids{2, 11, 4});
  CHECK(t.encode("a a", {.wrap = true}) == Ids{2, 11, 11, 3});
  CHECK(t.encode("a a", {.wrap = true, .max_tokens = 3}) == Ids{2, 11, 3});
  CHECK(t.encode("a a", {.wrap = true, .max_tokens = 2}) == Ids{2, 3});
  CHECK(t.encode("a a", {.max_tokens = 1}) == Ids{11});
  CHECK(t.encode("", {.wrap = true}) == Ids{2, 3});
  CHECK_THROWS_AS(t.encode("a", {.wrap = true, .max_tokens = 1}), UsageError);
}

TEST_CASE("bytes that are not UTF-8 are left out", "[text][wordpiece]") {
  const WordPiece t = small();
  CHECK(t.encode("ca\xff"
                 "fe \xe4\xb8") == Ids{9});
  CHECK(t.encode("\x80"
                 "a\xc3") == Ids{11});
}

TEST_CASE("pieces come back as words", "[text][wordpiece]") {
  const WordPiece t = small();
  CHECK(t.decode(t.encode("Unaffable caf\u00e9!")) == "unaffable cafe !");
  CHECK(t.decode(Ids{2, 11, 3}) == "[CLS] a [SEP]");
  CHECK(t.piece(5) == " un");
  CHECK(t.piece(6) == "aff");
  CHECK_THROWS_AS(t.decode(Ids{20}), Error);
  CHECK_THROWS_AS(t.decode(Ids{-1}), Error);
}

TEST_CASE("a WordPiece vocabulary comes back from its JSON", "[text][wordpiece]") {
  const WordPiece t = small();
  const auto again = tokenizer_from_json(t.to_json());
  CHECK(again->id() == t.id());
  CHECK(again->encode("unaffable caf\u00e9") == Ids{5, 6, 7, 9});
  CHECK(WordPiece::from_vocab_txt("[UNK]\r\n[CLS]\n[SEP]\na").encode("a b") == Ids{3, 0});
  CHECK_THROWS_AS(WordPiece({"a", "[UNK]"}), Error);
  CHECK_THROWS_AS(WordPiece({"[UNK]", "[CLS]", "[SEP]", "a", "a"}), Error);
  std::string cased = t.to_json();
  cased.replace(cased.find("\"lowercase\":true"), 16, "\"lowercase\":false");
  CHECK_THROWS_AS(tokenizer_from_json(cased), Error);
}

TEST_CASE("WordPiece gives llama.cpp's ids", "[text][wordpiece][data]") {
  const auto vocab = mirror_file("tokenizers/bert-uncased/vocab.txt");
  const auto json = mirror_file("tokenizers/bert-uncased/tokenizer.json");
  if (vocab.empty() || json.empty()) return;
  const WordPiece t = WordPiece::from_vocab_txt(read_file(vocab));
  CHECK(t.vocab_size() == 30522);
  check_llama_cpp_vectors(t, "bert-bge");
  const auto from_json = tokenizer_from_json(read_file(json));
  CHECK(from_json->to_json() == t.to_json());
}
