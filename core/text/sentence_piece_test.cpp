#include "core/text/sentence_piece.h"

#include "core/base/error.h"
#include "core/text/tokenizer_files.h"
#include "core/text/tokenizer_test.h"

using namespace bitlab;

namespace {

using Ids = std::vector<std::int32_t>;
using Type = SentencePiece::Type;

std::vector<SentencePiece::Piece> small_pieces() {
  std::vector<SentencePiece::Piece> pieces = {
      {"<unk>", 0, Type::kUnknown}, {"<s>", 0, Type::kControl}, {"</s>", 0, Type::kControl}};
  for (int b = 0; b < 256; ++b) {
    char text[8];
    std::snprintf(text, sizeof text, "<0x%02X>", static_cast<unsigned>(b));
    pieces.push_back({text, 0, Type::kByte});
  }
  float score = 0;  // from 259 on
  for (const char* text : {"bc", "ab", "\u2581a", "\u2581\u2581", "a", "b", "c", "\u2581"})
    pieces.push_back({text, score -= 1, Type::kNormal});
  return pieces;
}

// The fields of SentencePiece's protobuf that the reader looks at.
std::string field(int number, const std::string& content) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(content.size())} +
         content;
}

std::string model_of(const std::vector<SentencePiece::Piece>& pieces, int type, bool identity) {
  std::string model;
  for (const auto& p : pieces) {
    const char* bytes = reinterpret_cast<const char*>(&p.score);
    model += field(
        1, field(1, p.text) + "\x15" + std::string(bytes, 4) + "\x18" + static_cast<char>(p.type));
  }
  model += field(2, std::string("\x18") + static_cast<char>(type) + "\x98\x02\x01");
  return model + field(3, identity ? std::string("\x18\x01\x20\x00", 4) : "\x12\x01x");
}

}  // namespace

TEST_CASE("pieces are joined by score, with a space before the text", "[text][sentencepiece]") {
  const SentencePiece t(small_pieces());
  CHECK(t.encode("abc") == Ids{261, 259});  // "bc" before "ab", then "_a"
  CHECK(t.encode("c  abc") == Ids{266, 265, 266, 261, 259});
  CHECK(t.encode("").empty());
  CHECK(t.encode(" ") == Ids{262});
  CHECK(t.encode("\u00e9") == Ids{266, 3 + 0xC3, 3 + 0xA9});
  CHECK(t.encode("a\xff"
                 "b") == Ids{261, 3 + 0xFF, 264});  // not UTF-8: its byte
  CHECK(t.encode("a", {.wrap = true}) == Ids{1, 261});
  CHECK(t.encode("<s>a", {.special = true}) == Ids{1, 263});
  CHECK(t.encode(std::string(200'000, 'c')).size() == 200'001);
}

TEST_CASE("the text comes back but for the space before it", "[text][sentencepiece]") {
  const SentencePiece t(small_pieces());
  for (const std::string text :
       {"abc  b", " a ", "", "x\u00e9\n", "\xff\xc3 a", "\u2581", "a\u2581 b"})
    CHECK(t.decode(t.encode(text)) == text);
  CHECK(t.encode("\u2581") == Ids{266, 3 + 0xE2, 3 + 0x96, 3 + 0x81});  // not a space
  std::mt19937_64 rng(5);
  for (int i = 0; i < 2000; ++i) {
    const std::string text = random_text(rng, i % 2 == 0);
    CHECK(t.decode(t.encode(text)) == text);
  }
  CHECK(t.piece(261) == " a");
  CHECK(t.decode(Ids{1, 261}) == "<s> a");
  CHECK_THROWS_AS(t.decode(Ids{267}), Error);
}

TEST_CASE("words are joined over spaces where a piece does", "[text][sentencepiece]") {
  auto pieces = small_pieces();
  pieces.push_back({"b\u2581", 0, Type::kNormal});  // 267, the best of all
  CHECK(SentencePiece(pieces).encode("ab ab") == Ids{261, 267, 260});
}

TEST_CASE("SentencePiece models are read, or refused with the reason", "[text][sentencepiece]") {
  const SentencePiece t(small_pieces());
  const std::string model = model_of(small_pieces(), 2, true);
  CHECK(SentencePiece::from_model(model).to_json() == t.to_json());
  CHECK(tokenizer_from_json(t.to_json())->id() == t.id());
  CHECK_THROWS_AS(SentencePiece::from_model(model_of(small_pieces(), 1, true)), Error);   // unigram
  CHECK_THROWS_AS(SentencePiece::from_model(model_of(small_pieces(), 2, false)), Error);  // NFKC
  for (std::size_t cut = 0; cut < model.size(); cut += 7)
    CHECK_THROWS_AS(SentencePiece::from_model(model.substr(0, cut)), Error);
  auto pieces = small_pieces();
  pieces[10].text = "x";
  CHECK_THROWS_AS(SentencePiece(pieces), Error);
  pieces = small_pieces();
  pieces.push_back({"a", 0, Type::kNormal});
  CHECK_THROWS_AS(SentencePiece(pieces), Error);
  CHECK_THROWS_AS(SentencePiece::from_llama2c("\x07"), Error);
}

TEST_CASE("LLaMA-2 gives llama.cpp's ids", "[text][sentencepiece][data]") {
  const auto model = mirror_file("tokenizers/llama2/tokenizer.model");
  const auto bin = mirror_file("tokenizers/llama2/tokenizer.bin");
  if (model.empty() || bin.empty()) return;
  const SentencePiece t = SentencePiece::from_model(read_file(model));
  CHECK(t.vocab_size() == 32000);
  check_llama_cpp_vectors(t, "llama-spm");
  check_llama_cpp_vectors(SentencePiece::from_llama2c(read_file(bin)), "llama-spm");
  // By Google's sentencepiece 0.1.97.
  CHECK(t.encode("Once upon a time,  there was\n\ta cat named Zo\u00eb.") ==
        Ids{9038, 2501, 263, 931, 29892, 29871, 727, 471, 13, 12, 29874, 6635, 4257, 17421, 30083,
            29889});
  CHECK(t.encode(" \u4f60\u597d \U0001f999!") ==
        Ids{259, 30919, 31076, 29871, 243, 162, 169, 156, 29991});
  CHECK(t.encode("  x  ") == Ids{259, 921, 259});
  std::mt19937_64 rng(9);
  for (int i = 0; i < 2000; ++i) {
    const std::string text = random_text(rng, i % 2 == 0);
    CHECK(t.decode(t.encode(text)) == text);
  }
  CHECK(t.encode("\ufb01ne \u2460 a\u0301") ==
        Ids{29871, 31017, 484, 29871, 229, 148, 163, 263, 30103});
}

// Greedy text of the model in the mirror begins with these ids: see golden/stories260K_golden.json.
TEST_CASE("the tokenizer of stories260K is read", "[text][sentencepiece][data]") {
  const auto bin = mirror_file("stories260K/tok512.bin");
  if (bin.empty()) return;
  const SentencePiece t = SentencePiece::from_llama2c(read_file(bin));
  CHECK(t.vocab_size() == 512);
  const std::string text = "Once upon a time, there was a little girl named Lily.";
  CHECK(t.encode(text, {.wrap = true}) ==
        Ids{1, 403, 407, 261, 378, 432, 383, 286, 261, 376, 298, 315, 421, 395, 317, 426});
  CHECK(t.decode(t.encode(text)) == text);
}

TEST_CASE("a tokenizer's file tells what it is", "[text][data]") {
  for (const auto& [file, size] : {std::pair("llama3/tokenizer.model", 128256),
                                   {"gpt2/encoder.json", 50257},
                                   {"gpt2/vocab.bpe", 50257},
                                   {"llama2/tokenizer.model", 32000},
                                   {"llama2/tokenizer.bin", 32000},
                                   {"bert-uncased/vocab.txt", 30522},
                                   {"bert-uncased/tokenizer.json", 30522}}) {
    const auto path = mirror_file(std::string("tokenizers/") + file);
    if (path.empty()) return;
    INFO(file);
    CHECK(tokenizer_from_file(path)->vocab_size() == static_cast<std::size_t>(size));
  }
  const auto text = mirror_file("tinyshakespeare/input.txt");
  if (!text.empty()) CHECK_THROWS_AS(tokenizer_from_file(text), Error);
}
