#include "core/text/named_tokenizers.h"

#include <set>

#include "core/base/error.h"
#include "core/io/test_folder.h"
#include "core/text/tokenizer_test.h"
#include "core/text/word_piece.h"

using namespace bitlab;

namespace {

bool all_files_here(const NamedTokenizer& named) {
  for (const RemoteFile& file : named.files)
    if (!find_local(file)) return false;
  return true;
}

}  // namespace

TEST_CASE("named tokenizers say where their files come from", "[text][named]") {
  std::set<std::string> names;
  for (const NamedTokenizer& named : named_tokenizers()) {
    names.insert(named.name);
    CHECK(tokenizers().contains(named.name));
    CHECK_FALSE(named.licence.empty());
    for (const RemoteFile& file : named.files) {
      CHECK(file.owner == "tokenizer-" + named.name);
      CHECK(file.urls.front().starts_with("https://"));
      CHECK(file.sha256.size() == 64);
      CHECK(file.bytes > 1000);
    }
  }
  CHECK(names == std::set<std::string>{"bert-uncased", "gpt2", "llama2", "llama3"});
}

TEST_CASE("a named tokenizer is kept by its name and the hash of its file", "[text][named][data]") {
  const std::pair<const char*, std::size_t> sizes[] = {
      {"llama3", 128256}, {"gpt2", 50257}, {"llama2", 32000}, {"bert-uncased", 30522}};
  for (const auto& [name, size] : sizes) {
    for (const NamedTokenizer& named : named_tokenizers())
      if (named.name == name && !all_files_here(named)) {
        WARN("SKIPPED: " << name << " is not in BITLAB_MIRROR");
        return;
      }
    INFO(name);
    const OpenedTokenizer opened = open_tokenizer(name);
    CHECK(opened.notes.empty());
    CHECK(opened.tokenizer->vocab_size() == size);
    CHECK(opened.tokenizer->document_end());
    const std::string json = opened.tokenizer->to_json();
    CHECK(json.size() < 100);
    const auto again = tokenizer_from_json(json);
    CHECK(again->id() == opened.tokenizer->id());
    CHECK(again->to_json() == json);
    const std::string text = "a tale of two models, 1.58 bits each";
    CHECK(again->encode(text) == opened.tokenizer->encode(text));
    CHECK(again->decode(again->encode("a tale")) == "a tale");
    const auto whole = tokenizer_from_json(opened.tokenizer->whole_json());
    CHECK(whole->encode(text) == opened.tokenizer->encode(text));
    CHECK(whole->id() == opened.tokenizer->id());
    CHECK(whole->to_json() == json);
  }
}

TEST_CASE("a named tokenizer that is kept whole needs no files", "[text][named]") {
  for (const NamedTokenizer& named : named_tokenizers()) {
    WordPiece small({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "tale"});  // stands for it
    small.refer_to(named.name, named.id());
    const auto again = tokenizer_from_json(small.whole_json());
    CHECK(again->vocab_size() == 5);
    CHECK(again->encode("tale") == std::vector<std::int32_t>{4});
    CHECK(again->id() == named.id());
    CHECK(again->to_json() == small.to_json());
  }
  WordPiece other({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "tale"});
  other.refer_to("llama3", "llama3-00000000");
  CHECK_THROWS_WITH(tokenizer_from_json(other.whole_json()),
                    Catch::Matchers::Contains("llama3-82e9d319"));
}

TEST_CASE("a reference to other files is refused", "[text][named]") {
  CHECK_THROWS_WITH(tokenizer_from_json(R"({"type": "llama3", "id": "llama3-00000000"})"),
                    Catch::Matchers::Contains("llama3-82e9d319"));
  CHECK_THROWS_AS(tokenizer_from_json(R"({"type": "llama3"})"), Error);
  CHECK_THROWS_AS(tokenizer_from_json(R"({"type": "file"})"), Error);
  CHECK_THROWS_AS(tokenizer_from_json(R"({"type": "nothing"})"), Error);
  CHECK_THROWS_AS(open_tokenizer("llama4"), UsageError);
  CHECK_THROWS_AS(open_tokenizer("./no/such/file"), Error);
}

TEST_CASE("a tokenizer of a file is kept whole", "[text][named][data]") {
  const auto path = mirror_file("stories260K/tok512.bin");
  if (path.empty()) return;
  const TestFolder folder;
  std::filesystem::copy_file(path, folder / "mine.bin");
  const auto t = open_tokenizer((folder / "mine.bin").string()).tokenizer;
  std::filesystem::remove(folder / "mine.bin");
  CHECK(tokenizer_from_json(t->to_json())->encode("Once upon") == t->encode("Once upon"));
}
