#include "core/data/corpora.h"

#include <map>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/io/test_folder.h"

using namespace bitlab;
namespace fs = std::filesystem;

namespace {

// The corpus of a source that is here; null, with a warning, if it is not.
std::unique_ptr<Corpus> opened(const std::string& name) {
  const Source source = find_source(name);
  if (find_local(source)) return corpus_of(source);
  WARN("SKIPPED: " << name << " is not in BITLAB_MIRROR");
  return nullptr;
}

struct Counted {
  std::uint64_t bytes = 0, documents = 0;
};
std::map<TextSplit, Counted> count(const Corpus& corpus) {
  std::map<TextSplit, Counted> counts;
  corpus.read([&](const TextPart& part) {
    counts[part.split].bytes += part.text.size();
    counts[part.split].documents += part.ends_document;
  });
  return counts;
}

void pack(const fs::path& folder, const std::string& command) {
  REQUIRE(std::system(("cd '" + folder.string() + "' && " + command).c_str()) == 0);
}

}  // namespace

TEST_CASE("articles come in one order whatever the file's", "[data][corpora]") {
  const std::string a = " \n = A = \n \n Text . \n = x = 1 \n \n",
                    b = " \n = B = \n \n = = Part = = \n y \n \n", c = " \n = C = \n \n z \n \n";
  CHECK(sorted_articles(c + a + b) == a + b + c);
  CHECK(sorted_articles(a + b + c) == a + b + c);
  CHECK(sorted_articles(b) == b);
  CHECK(sorted_articles("no article") == "no article");
}

TEST_CASE("WikiText-2 is what was published, from a zip or from its files", "[data][corpora]") {
  const TestFolder folder;
  const std::string a = " \n = A = \n \n one \n \n", b = " \n = B = \n \n two \n \n";
  for (const auto& [name, text] : {std::pair<std::string, std::string>{"train", b + a},
                                   {"valid", " \n = V = \n v \n"},
                                   {"test", " \n = T = \n t \n"}})
    write_file_atomic(folder / "wikitext-2" / ("wiki." + name + ".tokens"), text);
  const auto gathered = [](const FetchedSource& fetched) {
    std::string all;
    read_wikitext(fetched, [&](const TextPart& part) {
      all += std::to_string(static_cast<int>(part.split)) + std::string(part.text);
    });
    return all;
  };
  const fs::path files = folder / "wikitext-2";
  const std::string expected = "1" + a + b + "2 \n = V = \n v \n3 \n = T = \n t \n";
  CHECK(gathered(
            {{files / "wiki.train.tokens", files / "wiki.valid.tokens", files / "wiki.test.tokens"},
             1,
             {}}) == expected);
  if (std::system("command -v python3 >/dev/null") != 0) return;
  pack(folder / "", "python3 -m zipfile -c w.zip wikitext-2/");
  // A mirror's copy with other ends of lines.
  std::string text = read_file(files / "wiki.valid.tokens");
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2)
    text.insert(at, 1, '\r');
  write_file_atomic(files / "wiki.valid.tokens", text);
  CHECK(gathered(
            {{files / "wiki.train.tokens", files / "wiki.valid.tokens", files / "wiki.test.tokens"},
             1,
             {}}) == expected);
  CHECK(gathered({{folder / "w.zip"}, 0, {}}) == expected);
  fs::resize_file(folder / "w.zip", 200);
  CHECK_THROWS_AS(gathered({{folder / "w.zip"}, 0, {}}), Error);
}

TEST_CASE("WikiText-2 has its three splits", "[data][corpora][mirror]") {
  const auto corpus = opened("wikitext-2");
  if (!corpus) return;
  auto counts = count(*corpus);
  CHECK(counts[TextSplit::Train].bytes == 10797148);
  CHECK(counts[TextSplit::Val].bytes == 1121681);
  CHECK(counts[TextSplit::Test].bytes == 1256449);
  const CorpusFacts facts = measure(*corpus);
  const Source source = find_source("wikitext-2");
  CHECK(facts.sha256 == source.sha256);
  CHECK(facts.bytes == source.bytes);
}

TEST_CASE("reviews come in the order of their numbers", "[data][corpora]") {
  const TestFolder folder;
  const auto put = [&](const std::string& name, const std::string& text) {
    write_file_atomic(folder / "aclImdb" / name, text);
  };
  put("train/pos/1_9.txt", "good<br /><br />one");
  put("train/neg/10_2.txt", "bad ten");
  put("train/neg/1_1.txt", "bad one");
  put("train/unsup/1_0.txt", "none");
  put("train/urls_pos.txt", "none");
  put("test/neg/0_3.txt", "test");
  pack(folder / "", "tar czf imdb.tar.gz aclImdb");
  std::vector<std::string> all;
  read_imdb({{folder / "imdb.tar.gz"}, 1, {}}, [&](const TextPart& part) {
    all.push_back(std::to_string(static_cast<int>(part.split)) + std::string(part.text));
  });
  CHECK(all == std::vector<std::string>{"0bad one", "0good\n\none", "0bad ten", "3test"});
}

TEST_CASE("an archive of reviews that was cut off is refused by name, wherever it was cut",
          "[data][corpora][errors]") {
  const TestFolder folder;
  for (int i = 0; i < 200; ++i)
    for (const char* kind : {"train/pos/", "train/unsup/"})
      write_file_atomic(folder / "aclImdb" / (kind + std::to_string(i) + "_9.txt"),
                        "review " + std::to_string(i * 7919));
  pack(folder / "", "tar czf imdb.tar.gz aclImdb");
  const fs::path archive = folder / "imdb.tar.gz";
  const std::string whole = read_file(archive);
  for (const double share : {0.0, 0.1, 0.5, 0.9, 0.999}) {
    CAPTURE(share);
    write_file_atomic(
        archive,
        whole.substr(0, static_cast<std::size_t>(share * static_cast<double>(whole.size()))));
    CHECK_THROWS_WITH(read_imdb({{archive}, 1, {}}, [](const TextPart&) {}),
                      Catch::Contains("imdb.tar.gz"));
    CHECK_THROWS_WITH(read_imdb_unlabelled({{archive}, 0, {}}, [](const LabelledText&) {}),
                      Catch::Contains("imdb.tar.gz"));
  }
}

TEST_CASE("reviews without labels come in the order of their numbers, one in 50 held out",
          "[data][corpora]") {
  const TestFolder folder;
  std::string lines;
  for (const int number : {3, 10, 0}) {
    const std::string name = "train/unsup/" + std::to_string(number) + "_0";
    const std::string text = "review<br />" + std::to_string(number);
    write_file_atomic(folder / "aclImdb" / (name + ".txt"), text);
    lines += R"({"id": ")" + name + R"(", "label": -1, "text": ")" + text + "\"}\n";
  }
  write_file_atomic(folder / "aclImdb" / "train/pos/1_9.txt", "good");
  write_file_atomic(folder / "lines.jsonl", lines);
  pack(folder / "", "tar czf imdb.tar.gz aclImdb && gzip -k lines.jsonl");
  const auto read = [](const fs::path& path, std::size_t form) {
    std::vector<std::string> all;
    read_imdb_unlabelled({{path}, form, {}}, [&](const LabelledText& text) {
      CHECK(text.split == LabelledSplit::Train);
      CHECK(text.label == 0);
      all.push_back(text.text);
    });
    return all;
  };
  const std::vector<std::string> want = {"review\n0", "review\n3", "review\n10"};
  CHECK(read(folder / "imdb.tar.gz", 0) == want);
  CHECK(read(folder / "lines.jsonl.gz", 1) == want);
  write_file_atomic(folder / "lines.jsonl", lines + "{\"id\": 3}\n");
  CHECK_THROWS_WITH(read(folder / "lines.jsonl", 1), Catch::Contains("lines.jsonl:4"));
}

TEST_CASE("IMDB's reviews without labels are there", "[data][corpora][mirror]") {
  const Source source = find_source("imdb-unlabelled");
  CHECK(source.labels.empty());
  const auto files = find_local(source);
  if (!files) {
    WARN("SKIPPED: imdb-unlabelled is not in BITLAB_MIRROR");
    return;
  }
  std::map<LabelledSplit, int> counts;
  std::string first;
  source.read_labelled(*files, [&](const LabelledText& text) {
    if (counts.empty()) first = text.text;
    ++counts[text.split];
  });
  CHECK(counts[LabelledSplit::Train] == 49000);
  CHECK(counts[LabelledSplit::Test] == 1000);
  CHECK(first.starts_with("I admit, the great majority of films"));
}

TEST_CASE("IMDB has its reviews", "[data][corpora][mirror]") {
  const auto corpus = opened("imdb");
  if (!corpus) return;
  auto counts = count(*corpus);
  CHECK(counts[TextSplit::Whole].documents == 25000);
  CHECK(counts[TextSplit::Test].documents == 25000);
  const CorpusFacts facts = measure(*corpus);
  const Source source = find_source("imdb");
  CHECK(facts.sha256 == source.sha256);
  CHECK(facts.bytes == source.bytes);
}
