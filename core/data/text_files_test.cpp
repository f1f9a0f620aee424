#include "core/data/text_files.h"

#include <fstream>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/data/text_reader.h"
#include "core/io/test_folder.h"

using namespace bitlab;
namespace fs = std::filesystem;

namespace {

using Texts = std::vector<std::string>;

void put(const fs::path& path, const std::string& content) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

void put_gz(const fs::path& path, const std::string& content) {
  const fs::path plain = path.string() + ".plain";
  put(plain, content);
  REQUIRE(std::system(("gzip -c '" + plain.string() + "' >'" + path.string() + "'").c_str()) == 0);
  fs::remove(plain);
}

Texts documents(const Corpus& corpus) {
  Texts all;
  bool goes_on = false;
  corpus.read([&](const TextPart& part) {
    CHECK(part.split == TextSplit::Whole);
    if (!goes_on) all.emplace_back();
    all.back() += part.text;
    goes_on = !part.ends_document;
  });
  CHECK_FALSE(goes_on);
  return all;
}

FilesConfig files(const fs::path& path) {
  FilesConfig config;
  config.path = path.string();
  return config;
}

std::string refusal(const std::function<void()>& what) {
  try {
    what();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("files of a folder or a pattern are documents in the order of their paths",
          "[data][files]") {
  const TestFolder folder;
  put(folder / "b.txt", "second\r\nlines\r\n");
  put(folder / "a" / "z.txt", "first");
  put(folder / "notes.md", "not read");
  put_gz(folder / "c.txt.gz", "third\n");
  put(folder / "d.jsonl", R"({"text": "fourth"})"
                          "\n\n"
                          R"({"text": "fi\r\nfth", "x": 1})");
  put_gz(folder / "e.jsonl.gz", R"({"text": "sixth"})"
                                "\n");
  const Texts all = {"first", "second\nlines\n", "third\n", "fourth", "fi\nfth", "sixth"};
  CHECK(documents(*files_corpus(files(folder / ""))) == all);
  CHECK(documents(*files_corpus(files(folder / "b.txt"))) == Texts{all[1]});
  CHECK(documents(*files_corpus(files(folder / "*.txt*"))) == Texts{all[1], all[2]});
  CHECK(documents(*files_corpus(files(folder / "[de].jsonl*"))) == Texts{all[3], all[4], all[5]});
  CHECK(documents(*files_corpus(files(folder / "?"))) == Texts{all[0]});  // a folder
}

TEST_CASE("a line <|endoftext|> ends a document", "[data][files]") {
  const TestFolder folder;
  put(folder / "x.txt",
      "One.\nTwo.\n\n<|endoftext|>\n\nThree.\n<|endoftext|>\n<|endoftext|>\nFour <|endoftext|>\n");
  CHECK(documents(*files_corpus(files(folder / "x.txt"))) ==
        Texts{"One.\nTwo.", "Three.", "Four <|endoftext|>"});
  put(folder / "y.txt", "\n as it is \n\n");
  CHECK(documents(*files_corpus(files(folder / "y.txt"))) == Texts{"\n as it is \n\n"});
}

TEST_CASE("a long document comes in parts cut between a letter and a line break", "[data][files]") {
  const TestFolder folder;
  const std::string text =
      "one two\n\nthree, 4\n\nfive.\n\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\nsix\n";
  put(folder / "x.txt", text);
  for (const std::size_t most : {3, 8, 12, 20, 1000}) {
    Texts parts;
    std::string whole;
    read_text_documents(
        folder / "x.txt",
        [&](std::string_view part, bool ends) {
          CHECK(ends == (whole.size() + part.size() == text.size()));
          CHECK((part.empty() || (static_cast<unsigned char>(part[0]) & 0xC0) != 0x80));
          whole += part;
          parts.emplace_back(part);
        },
        most);
    CHECK(whole == text);
    CHECK(parts.size() == (most == 1000 ? 1 : parts.size()));
    if (most == 12) CHECK(parts[0] == "one two");
  }
}

TEST_CASE("documents are left out by length and by quality", "[data][files]") {
  const TestFolder folder;
  put(folder / "x.jsonl", R"({"doc": {"text": "one two three"}, "q": {"score": 0.9}})"
                          "\n"
                          R"({"doc": {"text": "one  two\tthree\nfour"}, "q": {"score": 0.7}})"
                          "\n"
                          R"({"doc": {"text": "one two three"}, "q": {"score": 0.69}})"
                          "\n"
                          R"({"doc": {"text": "one two three"}, "q": {"score": "high"}})"
                          "\n"
                          R"({"doc": {"text": "one two three"}})"
                          "\n"
                          R"({"doc": {"text": "one two three four five"}, "q": {"score": 1}})"
                          "\n"
                          R"({"doc": {"text": "one"}, "q": {"score": 1}})"
                          "\n");
  FilesConfig config = files(folder / "x.jsonl");
  config.text_field = "doc.text";
  CHECK(documents(*files_corpus(config)).size() == 7);
  const std::string before = files_corpus(config)->identity();
  config.min_words = 2;
  config.max_words = 4;
  config.quality_field = "q.score";
  config.min_quality = 0.7;
  const auto corpus = files_corpus(config);
  CHECK(documents(*corpus) == Texts{"one two three", "one  two\tthree\nfour"});
  CHECK(corpus->notes() ==
        Texts{"5 of 7 documents are left out: 2 by their length, 3 by their quality"});
  CHECK(corpus->identity() != before);
  config.min_words = 100;
  config.max_words = 0;
  CHECK(says(refusal([&] { measure(*files_corpus(config)); }), "7 of 7 documents are left out"));
  put(folder / "y.txt", "one two\n<|endoftext|>\nthree");
  FilesConfig text = files(folder / "y.txt");
  text.min_words = 2;
  CHECK(documents(*files_corpus(text)) == Texts{"one two"});
}

TEST_CASE("the identity of files changes with any of them", "[data][files]") {
  const TestFolder folder;
  put(folder / "a.txt", "a");
  const auto id = [&] { return files_corpus(files(folder / ""))->identity(); };
  const std::string before = id();
  CHECK(id() == before);
  put(folder / "b.txt", "b");
  const std::string two = id();
  CHECK(two != before);
  fs::last_write_time(folder / "a.txt",
                      fs::last_write_time(folder / "a.txt") + std::chrono::seconds(1));
  CHECK(id() != two);
}

TEST_CASE("damaged files are refused with the place", "[data][files]") {
  const TestFolder folder;
  const auto read = [&](const std::string& name) {
    const fs::path path = folder / name;
    return refusal([&] { measure(*files_corpus(files(path))); });
  };
  put_gz(folder / "x.jsonl.gz", [] {
    std::string lines;
    for (int i = 0; i < 20000; ++i)
      lines += "{\"text\": \"" + std::to_string(i * 7919 % 10007) + "\"}\n";
    return lines;
  }());
  CHECK(read("x.jsonl.gz").empty());
  const auto size = fs::file_size(folder / "x.jsonl.gz");
  for (const std::uintmax_t cut : {size - 1, size / 2, std::uintmax_t{30}, std::uintmax_t{5}}) {
    INFO(cut);
    std::string bytes = read_file(folder / "x.jsonl.gz").substr(0, cut);
    put(folder / "cut.jsonl.gz", bytes);
    CHECK(says(read("cut.jsonl.gz"), "cut.jsonl.gz"));
  }
  put(folder / "wrong.jsonl", "{\"text\": \"a\"}\n{\"text\": \"b\"\n");
  CHECK(says(read("wrong.jsonl"), "wrong.jsonl:2] must be a JSON object"));
  put(folder / "list.jsonl", "[1]\n");
  CHECK(says(read("list.jsonl"), "list.jsonl:1] must be a JSON object"));
  put(folder / "none.jsonl", "{\"content\": \"a\"}\n");
  CHECK(says(read("none.jsonl"), "none.jsonl:1] must have a text in 'text'"));
  put(folder / "latin1.jsonl", "{\"text\": \"caf\xe9\"}\n");
  CHECK(says(read("latin1.jsonl"), "latin1.jsonl:1] must be a JSON object"));
  put(folder / "latin1.txt", "caf\xe9 au lait");
  CHECK(says(read("latin1.txt"), "latin1.txt] must be UTF-8, but byte 3 "));
  put(folder / "empty.txt", "");
  CHECK(says(read("empty.txt"), "must have documents"));
}

TEST_CASE("a path that names no texts is a wrong request", "[data][files]") {
  const TestFolder folder;
  fs::create_directory(folder / "empty");
  put(folder / "x.md", "x");
  for (const char* name : {"empty", "x.md", "absent", "*.txt", "*.md"}) {
    INFO(name);
    CHECK_THROWS_AS(files_corpus(files(folder / name)), UsageError);
  }
}
