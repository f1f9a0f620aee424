#include <fstream>
#include <thread>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/process_memory.h"
#include "core/data/test_corpus.h"
#include "core/data/tokenised_corpus.h"
#include "core/io/mapped_file.h"
#include "core/io/npy.h"
#include "core/io/test_environment.h"
#include "core/io/test_folder.h"
#include "core/text/bpe_trainer.h"

using namespace bitlab;
namespace fs = std::filesystem;

namespace {

struct World {
  TestFolder folder;
  Environment environment;
  World() { environment.set("BITLAB_CACHE", (folder / "cache").string()); }
  fs::path only() const {
    const auto all = token_folders();
    REQUIRE(all.size() == 1);
    return all.front();
  }
};

std::string text_of(int words) {
  std::string text;
  for (int i = 0; i < words; ++i)
    text += "word" + std::to_string(i * i % 97) + (i % 9 ? " " : "\n");
  return text;
}

TestCorpus small_corpus(const std::string& identity = "test") {
  return TestCorpus({{TextSplit::Whole, text_of(300)},
                     {TextSplit::Whole, text_of(200)},
                     {TextSplit::Test, text_of(50)}},
                    identity);
}

TokenizerChoice learned(std::size_t vocab_size = 300) {
  return {"bpe " + std::to_string(vocab_size),
          [vocab_size](const TokenizerTexts& texts) {
            return std::make_shared<ByteBpe>(train_byte_bpe(texts.train, vocab_size));
          },
          true};
}

// A token a byte pair: a vocabulary of more than 65536.
class Wide : public Tokenizer {
 public:
  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> ids;
    for (const char c : text) ids.push_back(70000 + static_cast<unsigned char>(c));
    return ids;
  }
  std::string decode(std::span<const std::int32_t>) const override { return ""; }
  std::size_t vocab_size() const override { return 70256; }
  std::string unit() const override { return "byte"; }
  std::string id() const override { return "wide"; }
  std::string to_json() const override { return "{}"; }
};

void overwrite(const fs::path& path, std::size_t at, const std::string& bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(at));
  file << bytes;
}

}  // namespace

TEST_CASE("mapped tokens are those in memory, however they are cut into shards", "[data][tokens]") {
  World world;
  const TestCorpus corpus = small_corpus();
  const TokenisedCorpus memory = tokenise(corpus, learned(), 0.1);
  for (const std::size_t size : {std::size_t{7}, std::size_t{100}, std::size_t{1} << 27}) {
    const TokenisedCorpus mapped =
        tokenise_cached("shelf", small_corpus(std::to_string(size)), learned(), 0.1, {}, size);
    CHECK(mapped.splits.train.to_vector() == memory.splits.train.to_vector());
    CHECK(mapped.splits.val.to_vector() == memory.splits.val.to_vector());
    CHECK(mapped.splits.test.to_vector() == memory.splits.test.to_vector());
    CHECK(mapped.splits.train_bytes == memory.splits.train_bytes);
    CHECK(mapped.splits.val_bytes == memory.splits.val_bytes);
    CHECK(mapped.splits.test_bytes == memory.splits.test_bytes);
    CHECK(mapped.sha256 == memory.sha256);
    CHECK(mapped.bytes == memory.bytes);
    CHECK(mapped.tokenizer->id() == memory.tokenizer->id());
    std::vector<std::int32_t> a(40), b(40);  // windows over the borders of shards
    for (std::size_t begin = 0; begin + 40 < memory.splits.train.size(); begin += 11) {
      mapped.splits.train.copy(begin, 40, a.data());
      memory.splits.train.copy(begin, 40, b.data());
      CHECK(a == b);
    }
  }
  CHECK(token_folders().size() == 3);
  std::vector<std::uint64_t> told;
  const TestCorpus another = small_corpus("another");
  tokenise_cached("shelf", another, learned(), 0.1,
                  [&](const std::string& what, std::uint64_t done, std::uint64_t total) {
                    CHECK(what == "shelf tokens");
                    CHECK(total == memory.bytes);
                    told.push_back(done);
                  });
  CHECK(told == std::vector<std::uint64_t>{memory.bytes});
  for (const fs::path& folder : token_folders()) verify_tokens(folder);
}

TEST_CASE("the cache is made once, and again for another text or tokenizer", "[data][tokens]") {
  World world;
  const TestCorpus corpus = small_corpus();
  tokenise_cached("shelf", corpus, learned(), 0.1);
  const int reads = corpus.reads;
  CHECK(reads > 0);
  tokenise_cached("shelf", corpus, learned(), 0.1);
  CHECK(corpus.reads == reads);
  CHECK(token_folders().size() == 1);
  tokenise_cached("shelf", small_corpus("changed"), learned(), 0.1);
  tokenise_cached("shelf", corpus, learned(290), 0.1);
  tokenise_cached("shelf", corpus, learned(), 0.2);
  tokenise_cached("shelf", corpus, given_tokenizer(std::make_shared<Wide>()), 0.1);
  CHECK(token_folders().size() == 5);
  int made = 0;  // several processes at once: one makes it, the others wait
  std::vector<std::thread> threads;
  const TestCorpus shared = small_corpus("shared");
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] { tokenise_cached("shelf", shared, learned(), 0.1); });
  for (std::thread& t : threads) t.join();
  for (const fs::path& folder : token_folders()) made += fs::exists(folder / "corpus.json");
  CHECK(made == 6);
}

TEST_CASE("ids of more than 16 bits take 4 bytes", "[data][tokens]") {
  World world;
  const TokenisedCorpus t =
      tokenise_cached("shelf", small_corpus(), given_tokenizer(std::make_shared<Wide>()), 0.1);
  CHECK(t.splits.train[0] == 70000 + 'w');
  const std::string bytes = read_file(world.only() / "train-00000.npy");
  CHECK(read_npy(bytes.data(), bytes.size(), "x").width == 4);
}

TEST_CASE("a killed process leaves nothing that counts", "[data][tokens]") {
  World world;
  struct Killed {};
  TokenizerChoice choice = learned();
  choice.make = [](const TokenizerTexts&) -> std::shared_ptr<const Tokenizer> { throw Killed(); };
  CHECK_THROWS_AS(tokenise_cached("shelf", small_corpus(), choice, 0.1), Killed);
  CHECK(token_folders().empty());
  tokenise_cached("shelf", small_corpus(), learned(), 0.1);
  const fs::path folder = world.only();
  fs::rename(folder, folder.string() + ".part");  // as a kill -9 leaves it
  CHECK(token_folders().empty());
  tokenise_cached("shelf", small_corpus(), learned(), 0.1);
  CHECK(world.only() == folder);
  CHECK_FALSE(fs::exists(folder.string() + ".part"));
}

TEST_CASE("damaged shards are refused with the reason", "[data][tokens]") {
  World world;
  const auto open = [] { return tokenise_cached("shelf", small_corpus(), learned(), 0.1); };
  open();
  const fs::path folder = world.only(), shard = folder / "train-00000.npy",
                 index = folder / "corpus.json";
  const std::string good = read_file(shard), good_index = read_file(index);
  const auto refused = [&](const std::string& reason) {
    CHECK_THROWS_WITH(open(), Catch::Matchers::Contains(reason) &&
                                  Catch::Matchers::Contains(folder.string()) &&
                                  Catch::Matchers::Contains("delete"));
    CHECK_THROWS_AS(verify_tokens(folder), Error);
    write_file_atomic(shard, good);
    write_file_atomic(index, good_index);
  };
  overwrite(shard, 500, "\x01");
  refused("must have sha256");
  overwrite(shard, 0, "\x94");
  refused("must be a whole .npy");
  fs::resize_file(shard, good.size() - 2);
  refused("has another length");
  fs::resize_file(shard, 9);
  refused("must be a whole .npy");
  fs::remove(shard);
  refused("cannot be opened");
  fs::resize_file(index, 100);
  refused("must be as it was written");
  write_file_atomic(index, "{\"format\": 1}");
  refused("must be as it was written");
  write_file_atomic(index, "{\"format\": 99}");
  CHECK_THROWS_AS(open(), Obstacle);
  write_file_atomic(index, good_index);
  CHECK(open().splits.train.size() > 0);
}

TEST_CASE("shards that are checked do not count as memory of the process",
          "[data][tokens][memory]") {
  World world;
  const std::string text = text_of(100'000);
  std::vector<TestCorpus::Part> parts;
  std::size_t bytes = 0;
  for (; bytes < (16 << 20); bytes += text.size()) parts.push_back({TextSplit::Whole, text});
  const TestCorpus corpus(parts);
  const TokenizerChoice wide = given_tokenizer(std::make_shared<Wide>());
  tokenise_cached("shelf", corpus, wide, 0.1);
  reset_peak_resident();
  const std::size_t before = resident_bytes();
  const TokenisedCorpus mapped = tokenise_cached("shelf", corpus, wide, 0.1);  // 64 MiB of tokens
  CHECK(peak_resident_bytes() < before + (24 << 20));
  verify_tokens(world.only());
  CHECK(peak_resident_bytes() < before + (24 << 20));
  CHECK(mapped.splits.train.size() > (14 << 20));
}

TEST_CASE("a sequence holds a part of a long file only, wherever it is read",
          "[data][tokens][memory]") {
  const TestFolder folder;
  const std::size_t size = 5 * TokenSequence::kMostTouched;
  std::ofstream(folder / "ids").put(7);
  fs::resize_file(folder / "ids", size);  // zeros that take no disk
  const MappedFile file(folder / "ids");
  const TokenSequence tokens({{file.data(), size / 2, 2, "ids", &file}}, nullptr, 8);
  const auto read_all = [&](std::size_t step) {
    std::int64_t sum = 0;
    std::vector<std::int32_t> window(256);
    for (std::size_t at = 0; at + 256 <= tokens.size(); at += step) {
      tokens.copy((at * 97) % (tokens.size() - 256), 256, window.data());
      for (const std::int32_t id : window) sum += id;
    }
    return sum;
  };
  read_all(1 << 20);
  reset_peak_resident();
  const std::size_t before = resident_bytes();
  CHECK(read_all(4096) >= 7);
  CHECK(peak_resident_bytes() < before + TokenSequence::kMostTouched + (32 << 20));
  CHECK(tokens[0] == 7);  // what was given back is there again
}

TEST_CASE("an id that no token has is refused when it is read", "[data][tokens]") {
  const std::uint16_t ids[] = {1, 2, 9, 3};
  const TokenSequence tokens({{ids, 4, 2, "a shard"}}, nullptr, 9);
  CHECK(tokens[1] == 2);
  CHECK_THROWS_WITH(tokens.to_vector(), Catch::Matchers::Contains("must hold ids below 9"));
}

TEST_CASE("values come back from an .npy, and other files are refused", "[data][npy]") {
  const TestFolder folder;
  for (const int width : {2, 4}) {
    NpyWriter writer(folder / "x.npy", width);
    std::vector<std::int32_t> values(3000);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int32_t>(i * 21);
    writer.append(values.data(), 1000);
    writer.append(values.data() + 1000, 2000);
    writer.finish();
    std::string bytes = read_file(folder / "x.npy");
    const NpyValues read = read_npy(bytes.data(), bytes.size(), "x");
    CHECK(read.count == 3000);
    CHECK(read.width == width);
    CHECK(read.offset % 64 == 0);
    const TokenSequence tokens({{bytes.data() + read.offset, read.count, width, "x"}}, nullptr,
                               1 << 20);
    CHECK(tokens.to_vector() == values);
    for (const char* change : {"'<u2'", "(3000,)"}) {
      std::string other = bytes;
      const std::size_t at = other.find(width == 2 || change[0] == '(' ? change : "'<u4'");
      other[at + 1] = '>';
      CHECK_THROWS_AS(read_npy(other.data(), other.size(), "x"), Error);
    }
    for (const std::size_t size : {std::size_t{0}, std::size_t{9}, std::size_t{100}})
      CHECK_THROWS_AS(read_npy(bytes.data(), size, "x"), Error);
  }
  CHECK_THROWS_AS(NpyWriter(folder / "no" / "x.npy", 2), Error);
}

// A reader that nobody here wrote.
TEST_CASE("numpy reads the shards", "[data][tokens][numpy]") {
  if (std::system("/usr/bin/python3 -c 'import numpy' 2>/dev/null") != 0) {
    WARN("SKIPPED: python3 has no numpy");
    return;
  }
  World world;
  const TokenisedCorpus t = tokenise_cached("shelf", small_corpus(), learned(), 0.1, {}, 100);
  const fs::path out = world.folder / "sums";
  const std::string script =
      "import json,sys,numpy\n"
      "d=sys.argv[1]+'/'\n"
      "c=json.load(open(d+'corpus.json'))\n"
      "a=numpy.concatenate([numpy.load(d+s['file'],mmap_mode='r') for s in "
      "c['splits']['train']['shards']])\n"
      "print(a.dtype,len(a),int((a*numpy.arange(1,len(a)+1)).sum()))\n";
  write_file_atomic(world.folder / "read.py", script);
  REQUIRE(std::system(("/usr/bin/python3 '" + (world.folder / "read.py").string() + "' '" +
                       world.only().string() + "' >'" + out.string() + "'")
                          .c_str()) == 0);
  std::int64_t sum = 0;
  const auto ids = t.splits.train.to_vector();
  for (std::size_t i = 0; i < ids.size(); ++i) sum += ids[i] * static_cast<std::int64_t>(i + 1);
  CHECK(read_file(out) ==
        "uint16 " + std::to_string(ids.size()) + " " + std::to_string(sum) + "\n");
}
