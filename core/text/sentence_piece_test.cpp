#include "core/text/sentence_piece.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/test_folder.h"
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

// As transformers convert a SentencePiece model: pieces by id, merges of all pairs that make one.
std::string hf_tokenizer(const std::vector<SentencePiece::Piece>& pieces) {
  nlohmann::json vocabulary, merges = nlohmann::json::array(), added = nlohmann::json::array();
  std::vector<std::size_t> best;
  for (std::size_t id = 0; id < pieces.size(); ++id) {
    vocabulary[pieces[id].text] = id;
    if (pieces[id].type == Type::kNormal) best.push_back(id);
    if (pieces[id].type == Type::kControl || pieces[id].type == Type::kUnknown)
      added.push_back({{"id", id}, {"content", pieces[id].text}, {"special", true}});
  }
  std::stable_sort(best.begin(), best.end(),
                   [&](std::size_t a, std::size_t b) { return pieces[a].score > pieces[b].score; });
  const auto normal = [&](const std::string& text) {
    const auto found = vocabulary.find(text);
    return found != vocabulary.end() && pieces[found->get<std::size_t>()].type == Type::kNormal;
  };
  for (const std::size_t id : best) {
    const std::string& text = pieces[id].text;
    for (std::size_t cut = 1; cut < text.size(); ++cut)
      if (normal(text.substr(0, cut)) && normal(text.substr(cut)))
        merges.push_back({text.substr(0, cut), text.substr(cut)});
  }
  const nlohmann::json prepend = {{"type", "Prepend"}, {"prepend", "\u2581"}};
  const nlohmann::json replace = {
      {"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "\u2581"}};
  return nlohmann::json{{"added_tokens", added},
                        {"normalizer", {{"type", "Sequence"}, {"normalizers", {prepend, replace}}}},
                        {"pre_tokenizer", nullptr},
                        {"model",
                         {{"type", "BPE"},
                          {"dropout", nullptr},
                          {"unk_token", "<unk>"},
                          {"fuse_unk", true},
                          {"byte_fallback", true},
                          {"vocab", vocabulary},
                          {"merges", merges}}}}
      .dump();
}

TEST_CASE("tokenizer.json with byte fallback is read", "[text][sentencepiece]") {
  const SentencePiece scores(small_pieces());
  const std::string json = hf_tokenizer(small_pieces());
  const auto t = subword_from_json(json);
  CHECK(t->vocab_size() == scores.vocab_size());
  CHECK(t->encode("abc") == Ids{261, 259});
  CHECK(t->encode("\u00e9 <s>", {.special = true, .wrap = true}) ==
        Ids{1, 266, 3 + 0xC3, 3 + 0xA9, 266, 1});
  CHECK(t->document_end() == 2);
  CHECK(t->piece(261) == " a");
  std::mt19937_64 rng(6);
  for (int i = 0; i < 2000; ++i) {
    const std::string text = random_text(rng, i % 2 == 0);
    CHECK(t->encode(text) == scores.encode(text));
    CHECK(t->decode(t->encode(text)) == text);
  }
  // What is written says the same, of merges exactly.
  CHECK(subword_from_json(t->to_json())->to_json() == t->to_json());
  CHECK(subword_from_json(scores.hf_json())->encode("c  abc") == scores.encode("c  abc"));
}

TEST_CASE("merges and not scores decide in tokenizer.json", "[text][sentencepiece]") {
  auto described = nlohmann::json::parse(hf_tokenizer(small_pieces()));
  described["model"]["merges"] = {"a b", "\u2581 a"};  // "b c" is gone
  CHECK(subword_from_json(described.dump())->encode("abc") == Ids{266, 260, 265});
}

TEST_CASE("tokenizer.json of another kind is refused with the reason", "[text][sentencepiece]") {
  const auto good = nlohmann::json::parse(hf_tokenizer(small_pieces()));
  const auto refused = [&](const char* pointer, const nlohmann::json& value, const char* reason) {
    nlohmann::json changed = good;
    changed[nlohmann::json::json_pointer(pointer)] = value;
    CHECK_THROWS_WITH(subword_from_json(changed.dump()), Catch::Matchers::Contains(reason));
  };
  refused("/normalizer", nullptr, "normalizer must be");
  refused("/normalizer/normalizers/0/prepend", "_", "normalizer must be");
  refused("/pre_tokenizer", {{"type", "Metaspace"}}, "normalizer null and pre_tokenizer Metaspace");
  refused("/added_tokens/1/rstrip", true, "rstrip must be false");
  refused("/model/dropout", 0.1, "dropout must be null");
  refused("/model/ignore_merges", true, "ignore_merges must be false");
  refused("/model/merges", nlohmann::json::array(), "there must be merges");
  refused("/model/merges/0", "a \u2581", "a merge must join");
  refused("/model/merges/0", "<0x41> b", "a merge must join");
  refused("/model/vocab/a", 400, "each once");
  refused("/added_tokens/1/content", "<begin>", "must follow each other");
  refused("/added_tokens/1/id", 270, "must follow each other");
  refused("/added_tokens/1/id", -1, "ids of added tokens");
}

// The same with a Metaspace in place of the normalizer. `strip`: the decoder's.
std::string metaspace_tokenizer(const char* scheme, bool split, bool strip) {
  auto described = nlohmann::json::parse(hf_tokenizer(small_pieces()));
  described["normalizer"] = nullptr;
  described["pre_tokenizer"] = {{"type", "Metaspace"},
                                {"replacement", "\u2581"},
                                {"prepend_scheme", scheme},
                                {"split", split}};
  nlohmann::json steps = {
      {{"type", "Replace"}, {"pattern", {{"String", "\u2581"}}}, {"content", " "}},
      {{"type", "ByteFallback"}},
      {{"type", "Fuse"}}};
  if (strip) steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  described["decoder"] = {{"type", "Sequence"}, {"decoders", steps}};
  return described.dump();
}

// Ids: bc 259, ab 260, _a 261, __ 262, a 263, b 264, c 265, _ 266.
TEST_CASE("Metaspace puts a space only where the text begins with none", "[text][sentencepiece]") {
  const auto ids = [](const char* scheme, bool split, const char* text) {
    return subword_from_json(metaspace_tokenizer(scheme, split, true))
        ->encode(text, {.special = true});
  };
  for (const bool split : {false, true}) {
    for (const char* scheme : {"first", "always"}) {
      CHECK(ids(scheme, split, "abc") == Ids{261, 259});
      CHECK(ids(scheme, split, " abc") == Ids{261, 259});  // SentencePiece: 266 261 259
      CHECK(ids(scheme, split, "\u00e9") == Ids{266, 3 + 0xC3, 3 + 0xA9});
      CHECK(ids(scheme, split, "").empty());
    }
    CHECK(ids("never", split, "abc") == Ids{263, 259});
    CHECK(ids("never", split, " abc") == Ids{261, 259});
    // Behind a special token only "always" puts one, and no second one.
    CHECK(ids("first", split, "a<s>a</s> a") == Ids{261, 1, 263, 2, 261});
    CHECK(ids("always", split, "a<s>a</s> a") == Ids{261, 1, 261, 2, 261});
    CHECK(ids("never", split, "a<s>a</s> a") == Ids{263, 1, 263, 2, 261});
    CHECK(ids("first", split, "<s>a") == Ids{1, 263});
  }
}

TEST_CASE("Metaspace that splits begins a piece at each space", "[text][sentencepiece]") {
  const auto ids = [](bool split, const char* text) {
    return subword_from_json(metaspace_tokenizer("first", split, true))->encode(text);
  };
  CHECK(ids(false, "c   abc") == Ids{266, 265, 262, 261, 259});
  CHECK(ids(true, "c   abc") == Ids{266, 265, 266, 266, 261, 259});  // never "__"
  CHECK(ids(false, "  ") == Ids{262});
  CHECK(ids(true, "  ") == Ids{266, 266});
  CHECK(ids(true, "c  ") == Ids{266, 265, 266, 266});
  // A merge over the beginning of a word is never made.
  auto described = nlohmann::json::parse(metaspace_tokenizer("first", true, true));
  described["model"]["vocab"]["b\u2581"] = 267;
  described["model"]["merges"].insert(described["model"]["merges"].begin(), {{"b", "\u2581"}});
  CHECK(subword_from_json(described.dump())->encode("b b") == Ids{266, 264, 266, 264});
  described["pre_tokenizer"]["split"] = false;
  CHECK(subword_from_json(described.dump())->encode("b b") == Ids{266, 267, 264});
}

TEST_CASE("a Metaspace tokenizer's texts come back, and it is written as it was read",
          "[text][sentencepiece]") {
  std::mt19937_64 rng(8);
  for (const char* scheme : {"first", "always", "never"})
    for (const bool split : {false, true}) {
      const bool strip = scheme != std::string("never");
      const auto t = subword_from_json(metaspace_tokenizer(scheme, split, strip));
      const auto again = subword_from_json(t->to_json());
      CHECK(again->to_json() == t->to_json());
      CHECK(again->id() == t->id());
      CHECK(t->id() != subword_from_json(metaspace_tokenizer(scheme, !split, strip))->id());
      CHECK(t->decode(t->encode(" a b")) == (strip ? "a b" : " a b"));
      for (int i = 0; i < 500; ++i) {
        const std::string text = random_text(rng, i % 2 == 0);
        CHECK(again->encode(text) == t->encode(text));
        if (!text.starts_with(' ')) CHECK(t->decode(t->encode(text)) == text);
      }
    }
}

TEST_CASE("forms of Metaspace are read, or refused with the reason", "[text][sentencepiece]") {
  const auto good = nlohmann::json::parse(metaspace_tokenizer("first", true, true));
  const auto changed = [&](const std::vector<std::pair<const char*, nlohmann::json>>& changes) {
    nlohmann::json described = good;
    for (const auto& [pointer, value] : changes)
      described[nlohmann::json::json_pointer(pointer)] = value;
    return described.dump();
  };
  const auto refused = [&](const char* pointer, const nlohmann::json& value, const char* reason) {
    CHECK_THROWS_WITH(subword_from_json(changed({{pointer, value}})),
                      Catch::Matchers::Contains(reason));
  };
  // Of older versions: always, and split.
  const nlohmann::json old = {{"type", "Metaspace"}, {"replacement", "\u2581"}};
  CHECK(subword_from_json(changed({{"/pre_tokenizer", old}, {"/decoder", old}}))->to_json() ==
        subword_from_json(metaspace_tokenizer("always", true, true))->to_json());
  nlohmann::json never = old;
  never["add_prefix_space"] = false;
  refused("/pre_tokenizer", never, "prepend_scheme must be never");
  never["prepend_scheme"] = "never";
  CHECK(subword_from_json(changed({{"/pre_tokenizer", never}, {"/decoder", never}}))->to_json() ==
        subword_from_json(metaspace_tokenizer("never", true, false))->to_json());
  refused("/pre_tokenizer/replacement", "_", "replacement must be");
  refused("/pre_tokenizer/prepend_scheme", "last", "must be always, first or never");
  refused("/normalizer", {{"type", "NFC"}}, "normalizer null and pre_tokenizer Metaspace");
  refused("/decoder", nullptr, "decoder must be");
  refused("/decoder/decoders/0/content", "_", "decoder must be");
  // All spaces of the first piece would be left out, and it may have two.
  CHECK_THROWS_WITH(
      subword_from_json(changed({{"/pre_tokenizer/split", false}, {"/decoder", old}})),
      Catch::Matchers::Contains("decoder must be"));
}

TEST_CASE("LLaMA-2's tokenizer.json gives llama.cpp's ids", "[text][sentencepiece][data]") {
  const auto model = mirror_file("tokenizers/llama2/tokenizer.model");
  if (model.empty()) return;
  const SentencePiece scores = SentencePiece::from_model(read_file(model));
  // Pieces and their order as our own form has them.
  std::vector<SentencePiece::Piece> pieces;
  const auto own = nlohmann::json::parse(scores.full_json());
  for (const auto& p : own.at("pieces"))
    pieces.push_back(
        {p.at(0).get<std::string>(), p.at(1).get<float>(), static_cast<Type>(p.at(2).get<int>())});
  const auto read = subword_from_json(hf_tokenizer(pieces));
  check_llama_cpp_vectors(*read, "llama-spm");
  const auto written = subword_from_json(scores.hf_json());
  check_llama_cpp_vectors(*written, "llama-spm");
  std::mt19937_64 rng(10);
  for (int i = 0; i < 2000; ++i) {
    const std::string text = random_text(rng, i % 2 == 0);
    CHECK(read->encode(text) == scores.encode(text));
    CHECK(written->encode(text) == scores.encode(text));
  }
  const auto stories = mirror_file("wikitext-2/wiki.valid.tokens");
  if (stories.empty()) return;
  const std::string text = read_file(stories);
  CHECK(written->encode(text) == scores.encode(text));
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
  // Its first number, the longest piece's, may look like the beginning of another format.
  std::string content = read_file(bin);
  content[0] = '\n';
  const TestFolder folder;
  write_file_atomic(folder / "tokenizer.bin", content);
  CHECK(tokenizer_from_file(folder / "tokenizer.bin")->vocab_size() == 512);
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
