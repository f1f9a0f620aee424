#include "core/text/byte_bpe.h"

#include "core/base/error.h"
#include "core/text/tokenizer_test.h"

using namespace bitlab;

namespace {

using Ids = std::vector<std::int32_t>;

// Bytes 0..255 and then "ab", "abc", "bc", "aa"; " x"; <end> is special.
ByteBpe::Parts small_parts() {
  ByteBpe::Parts parts;
  for (int b = 0; b < 256; ++b) parts.tokens.emplace_back(1, static_cast<char>(b));
  for (const char* token : {"bc", "ab", "abc", "aa", "aaaa", "<end>"})
    parts.tokens.push_back(token);
  parts.merges = {
      {'b', 'c', 256}, {'a', 'b', 257}, {'a', 256, 258}, {'a', 'a', 259}, {259, 259, 260}};
  parts.pattern = kGpt2Pattern;
  parts.special = {{"<end>", 261}};
  return parts;
}

// The definition: the lowest rank, leftmost, one merge after another.
Ids naive(const ByteBpe::Parts& parts, const std::string& piece) {
  Ids t(piece.begin(), piece.end());
  for (;;) {
    std::size_t best = parts.merges.size(), at = 0;
    for (std::size_t i = 0; i + 1 < t.size(); ++i)
      for (std::size_t rank = 0; rank < best; ++rank)
        if (parts.merges[rank].left == t[i] && parts.merges[rank].right == t[i + 1])
          best = rank, at = i;
    if (best == parts.merges.size()) return t;
    t[at] = parts.merges[best].result;
    t.erase(t.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
}

std::vector<std::string> pieces_of(const char* pattern, std::string_view text) {
  const PreTokenizer pre(pattern);
  PreTokenizer::Pieces pieces(pre, text);
  std::vector<std::string> all;
  for (std::string_view piece; !(piece = pieces.next()).empty();) all.emplace_back(piece);
  return all;
}

}  // namespace

TEST_CASE("pairs are merged by rank, leftmost first", "[text][bpe]") {
  const ByteBpe t(small_parts());
  CHECK(t.encode("abc") == Ids{258});  // bc before ab
  CHECK(t.encode("abab") == Ids{257, 257});
  CHECK(t.encode("aaaaa") == Ids{260, 'a'});
  CHECK(t.encode("").empty());
  std::mt19937_64 rng(7);
  for (int i = 0; i < 300; ++i) {  // short pieces, and long ones that take the heap
    std::string piece;
    for (std::uint64_t n = 1 + rng() % 120; n > 0; --n) piece += "abc"[rng() % 3];
    CHECK(t.encode(piece) == naive(small_parts(), piece));
  }
  CHECK(t.encode(std::string(1'000'000, 'a')).size() == 250'000);
}

TEST_CASE("the expressions cut as their models do", "[text][bpe]") {
  using Pieces = std::vector<std::string>;
  CHECK(pieces_of(kGpt2Pattern, "I'll  go 'LL 12345!? \n x") ==
        Pieces{"I", "'ll", " ", " go", " '", "LL", " 12345", "!?", " \n", " x"});
  CHECK(pieces_of(kLlama3Pattern, "I'll  go 'LL 12345!?\n\n x") ==
        Pieces{"I", "'ll", " ", " go", " '", "LL", " ", "123", "45", "!?\n\n", " x"});
  CHECK(pieces_of(kLlama3Pattern, "We'Ve") == Pieces{"We", "'Ve"});
  // White_Space has U+0085 and U+3000, and not U+180E, which PCRE2's own \s has.
  CHECK(pieces_of(kGpt2Pattern, "\u3000\u0085\u3000") == Pieces{"\u3000\u0085\u3000"});
  CHECK(pieces_of(kGpt2Pattern, "  \u180e.") == Pieces{" ", " \u180e."});
  CHECK(pieces_of(kGpt2Pattern,
                  "a\xff\xfe"
                  "b \xe4\xb8") == Pieces{"a", "\xff", "\xfe", "b", " ", "\xe4", "\xb8"});
  CHECK(pieces_of("b+", "aabbc") == Pieces{"aa", "bb", "c"});  // what does not match is kept
  CHECK_THROWS_AS(PreTokenizer("(a"), Error);
  std::string long_text;  // more than the matcher's usual stack holds
  for (int i = 0; i < 300'000; ++i) long_text += i % 3 ? "ab" : "cd";
  CHECK(pieces_of("(?:ab|cd)+x|(?:ab|cd)+", long_text) == Pieces{long_text});
}

TEST_CASE("any bytes come back", "[text][bpe]") {
  const ByteBpe t(small_parts());
  std::mt19937_64 rng(1);
  for (int i = 0; i < 2000; ++i) {
    const std::string text = random_text(rng, i % 2 == 0);
    CHECK(t.decode(t.encode(text)) == text);
  }
  CHECK(t.encode("a\xff"
                 "b") == Ids{'a', 0xFF, 'b'});  // a byte that is not UTF-8: its token
}

TEST_CASE("special tokens of byte-level BPE by choice", "[text][bpe]") {
  const ByteBpe t(small_parts());
  CHECK(t.encode("a<end>", {.special = true}) == Ids{'a', 261});
  CHECK(t.encode("a<end>").size() == 6);
  CHECK(t.decode(Ids{'a', 261}) == "a<end>");
  CHECK_THROWS_AS(t.decode(Ids{262}), Error);
}

TEST_CASE("a byte-level BPE comes back from its JSON", "[text][bpe]") {
  const ByteBpe t(small_parts());
  const auto again = tokenizer_from_json(t.to_json());
  CHECK(again->to_json() == t.to_json());
  CHECK(again->encode("abcaaab") == t.encode("abcaaab"));
  for (const char* broken : {R"({"model":{"type":"BPE"}})", R"({"model":{"type":"Unigram"}})"})
    CHECK_THROWS_AS(tokenizer_from_json(broken), Error);
  auto parts = small_parts();
  parts.merges.push_back({'a', 'c', 256});
  CHECK_THROWS_AS(ByteBpe(parts), Error);
  parts = small_parts();
  parts.tokens['a'] = "xyz";
  CHECK_THROWS_AS(ByteBpe(parts), Error);
  for (const char* ranks : {"IQ==", "IQ== 1", "I! 0", "IQ== 0"})
    CHECK_THROWS_AS(ByteBpe::from_tiktoken(ranks), Error);
}

// As in the tokenizer.json of LLaMA-3 that Hugging Face has today.
TEST_CASE("merges as pairs and several steps after the text are read", "[text][bpe]") {
  auto parts = small_parts();
  parts.begin = 261;
  const ByteBpe t(parts);
  std::string json = t.full_json();
  const auto replace = [&](const std::string& from, const std::string& to) {
    const std::size_t at = json.find(from);
    REQUIRE(at != std::string::npos);
    json.replace(at, from.size(), to);
  };
  replace(R"("a b")", R"(["a","b"])");
  const std::size_t begin = json.find(R"("post_processor":)") + 17,
                    end = json.find(R"(,"decoder")");
  const std::string post = json.substr(begin, end - begin);
  json.replace(begin, post.size(),
               R"({"type":"Sequence","processors":[{"type":"ByteLevel"},)" + post + "]}");
  const auto again = subword_from_json(json);
  CHECK(again->encode("ab", {.wrap = true}) == Ids{261, 257});
  CHECK(again->full_json() == t.full_json());
}

TEST_CASE("LLaMA-3 and GPT-2 give llama.cpp's ids", "[text][bpe][data]") {
  const auto llama3 = mirror_file("tokenizers/llama3/tokenizer.model");
  const auto encoder = mirror_file("tokenizers/gpt2/encoder.json");
  const auto merges = mirror_file("tokenizers/gpt2/vocab.bpe");
  if (llama3.empty() || encoder.empty() || merges.empty()) return;
  const ByteBpe gpt2 = ByteBpe::from_gpt2(read_file(encoder), read_file(merges));
  CHECK(gpt2.vocab_size() == 50257);
  check_llama_cpp_vectors(gpt2, "gpt-2");
  CHECK(gpt2.encode("<|endoftext|>", {.special = true, .wrap = true}) == Ids{50256});
  const ByteBpe t = ByteBpe::from_tiktoken(read_file(llama3));
  CHECK(t.vocab_size() == 128256);
  check_llama_cpp_vectors(t, "llama-bpe");
  CHECK(t.encode("<|eot_id|>", {.special = true, .wrap = true}) == Ids{128000, 128009});
  CHECK(t.piece(128255) == "<|reserved_special_token_250|>");
  const auto from_json = tokenizer_from_json(t.to_json());
  check_llama_cpp_vectors(dynamic_cast<const SubwordTokenizer&>(*from_json), "llama-bpe");
  CHECK(from_json->vocab_size() == t.vocab_size());
  std::mt19937_64 rng(3);
  for (int i = 0; i < 2000; ++i) {
    const std::string text = random_text(rng, i % 2 == 0);
    const Ids ids = t.encode(text);
    CHECK(t.decode(ids) == text);
    CHECK(from_json->encode(text) == ids);
    CHECK(gpt2.decode(gpt2.encode(text)) == text);
  }
}
