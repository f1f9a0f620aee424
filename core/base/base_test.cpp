// Random numbers against published vectors and their distributions; files; hashes; the thread team.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/registry.h"
#include "core/base/rng.h"
#include "core/base/sha256.h"
#include "core/base/temporaries.h"
#include "core/base/thread_team.h"
#include "core/io/test_folder.h"

using namespace bitlab;
namespace fs = std::filesystem;

namespace {

using Words = std::array<std::uint32_t, 4>;

struct Moments {
  double mean = 0, variance = 0, skew = 0, kurtosis = 0;
  explicit Moments(const std::vector<double>& x) {
    const auto n = static_cast<double>(x.size());
    for (const double v : x) mean += v / n;
    for (const double v : x) variance += (v - mean) * (v - mean) / n;
    for (const double v : x) {
      const double z = (v - mean) / std::sqrt(variance);
      skew += z * z * z / n;
      kurtosis += z * z * z * z / n;
    }
  }
};

size_t entries(const fs::path& folder) {
  return static_cast<size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("philox gives the published answers of Random123", "[base][rng]") {
  // tests/kat_vectors of github.com/DEShawResearch/random123, lines "philox4x32 10".
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const std::uint32_t ones = 0xffffffff;
  CHECK(philox({ones, ones, ones, ones}, {ones, ones}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a stream is named by its seed and its purpose", "[base][rng]") {
  std::set<std::uint64_t> keys;
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    for (const char* purpose :
         {"", "a", "b", "ab", "ba", "init/blocks.0.attn.wq.weight", "init/blocks.1.attn.wq.weight"})
      keys.insert(Rng(seed, purpose).key());
  CHECK(keys.size() == 700);
  CHECK(Rng(7, "batch").bits(3, 4) == Rng(7, "batch").bits(3, 4));
  CHECK(Rng(7, "batch").bits(3, 4) != Rng(7, "batch").bits(4, 3));
  // All 64 bits of step and index count.
  const Rng rng(1, "x");
  std::set<std::uint64_t> draws;
  for (int bit = 0; bit < 64; ++bit) {
    draws.insert(rng.bits(std::uint64_t{1} << bit, 0));
    draws.insert(rng.bits(0, std::uint64_t{1} << bit));
  }
  CHECK(draws.size() == 128);
}

TEST_CASE("uniform numbers are uniform", "[base][rng]") {
  const size_t n = 200000;
  const Rng rng(1, "uniform");
  std::vector<double> x(n);
  std::vector<size_t> cells(100);
  double neighbours = 0;
  for (size_t i = 0; i < n; ++i) {
    x[i] = rng.uniform(i % 10, i / 10);
    REQUIRE((x[i] >= 0 && x[i] < 1));
    ++cells[static_cast<size_t>(x[i] * 100)];
    if (i) neighbours += (x[i] - 0.5) * (x[i - 1] - 0.5);
  }
  const Moments moments(x);
  CHECK(std::fabs(moments.mean - 0.5) < 5 / std::sqrt(12.0 * n));  // five standard errors
  CHECK(moments.variance == Approx(1.0 / 12).epsilon(0.01));
  CHECK(std::fabs(neighbours / n * 12) < 5 / std::sqrt(double(n)));
  double chi2 = 0;
  for (const size_t count : cells) chi2 += std::pow(double(count) - n / 100.0, 2) / (n / 100.0);
  CHECK(chi2 < 99 + 5 * std::sqrt(2 * 99.0));
}

TEST_CASE("normal numbers have the moments and tails of a normal", "[base][rng]") {
  const size_t n = 200000;
  const Rng rng(2, "normal");
  std::vector<double> single(n), filled(n);
  for (size_t i = 0; i < n; ++i) single[i] = rng.normal(i % 7, i / 7);
  rng.fill_normal(1.0, filled.data(), n);
  for (const auto& x : {single, filled}) {
    const Moments moments(x);
    const double error = 1 / std::sqrt(double(n));
    CHECK(std::fabs(moments.mean) < 5 * error);
    CHECK(std::fabs(moments.variance - 1) < 5 * std::sqrt(2.0) * error);
    CHECK(std::fabs(moments.skew) < 5 * std::sqrt(6.0) * error);
    CHECK(std::fabs(moments.kurtosis - 3) < 5 * std::sqrt(24.0) * error);
    for (const double z : {0.1, 0.5, 1.0, 2.0, 3.0}) {
      const double expected = std::erfc(z / std::sqrt(2.0));
      const auto beyond =
          std::count_if(x.begin(), x.end(), [&](double v) { return std::fabs(v) > z; });
      CHECK(std::fabs(double(beyond) / n - expected) < 5 * std::sqrt(expected / n));
    }
  }
  double cross = 0;  // the two values of a Box-Muller pair
  for (size_t i = 0; i + 1 < n; i += 2) cross += filled[i] * filled[i + 1] / (n / 2.0);
  CHECK(std::fabs(cross) < 5 / std::sqrt(n / 2.0));
}

TEST_CASE("fill_normal writes n values, and the first ones do not depend on n", "[base][rng]") {
  const Rng rng(3, "init/w");
  std::vector<double> whole(101);
  rng.fill_normal(0.02, whole.data(), whole.size());
  for (size_t n = 0; n <= 9; ++n) {
    std::vector<float> part(n + 2, 77);
    rng.fill_normal(0.02, part.data(), n);
    for (size_t i = 0; i < n; ++i) REQUIRE(part[i] == static_cast<float>(whole[i]));
    CHECK((part[n] == 77 && part[n + 1] == 77));
  }
}

TEST_CASE("below covers its range evenly and stays inside", "[base][rng]") {
  const Rng rng(4, "below");
  std::vector<size_t> counts(7);
  for (size_t i = 0; i < 70000; ++i) ++counts.at(rng.below(7, 0, i));
  for (const size_t count : counts)
    CHECK(std::fabs(double(count) - 10000) < 5 * std::sqrt(10000 * 6 / 7.0));
  CHECK(rng.below(1, 5, 5) == 0);
  const std::uint64_t large = 0xfffffffffffffff0u;
  std::uint64_t top = 0;
  for (size_t i = 0; i < 100; ++i) top = std::max(top, rng.below(large, 1, i));
  CHECK(top < large);
  CHECK(top > large / 2);
}

TEST_CASE("an atomic write replaces the whole file and leaves nothing else", "[base][files]") {
  const TestFolder folder;
  const fs::path path = folder / "deep/er/file.txt";
  const std::string bytes("a\0b\r\n\xff", 6);
  write_file_atomic(path, bytes);
  CHECK(read_file(path) == bytes);
  write_file_atomic(path, "short");
  CHECK(read_file(path) == "short");
  write_file_atomic(path, "");
  CHECK(read_file(path).empty());
  const std::string large(5 << 20, 'x');
  write_file_atomic(path, large);
  CHECK(read_file(path) == large);
  CHECK(entries(path.parent_path()) == 1);
}

TEST_CASE("a write that fails leaves what was there and no temporaries", "[base][files]") {
  const TestFolder folder;
  const fs::path occupied = folder / "occupied";  // a folder cannot be replaced by a file
  write_file_atomic(occupied / "inside", "kept");
  CHECK_THROWS_AS(write_file_atomic(occupied, "x"), Error);
  CHECK(read_file(occupied / "inside") == "kept");
  CHECK(entries(folder.path()) == 1);
  CHECK_THROWS_AS(write_file_atomic(occupied / "inside" / "deeper", "x"), Error);
  CHECK(read_file(occupied / "inside") == "kept");
  CHECK_THROWS_AS(write_file_atomic("/proc/bitlab/none", "x"), Error);
  CHECK_THROWS_AS(write_file_atomic("/proc/none", "x"), Error);
}

TEST_CASE("many files are written as one is, and a failure leaves no temporaries",
          "[base][files]") {
  const TestFolder folder;
  const auto file = [&](int i) { return folder / std::to_string(i) / "file.txt"; };
  write_file_atomic(file(1), "old");
  std::vector<FileToWrite> files;
  for (int i = 0; i < 20; ++i) files.push_back({file(i), "new " + std::to_string(i)});
  write_files_atomic(files);
  for (int i = 0; i < 20; ++i) CHECK(read_file(file(i)) == "new " + std::to_string(i));
  for (int i = 0; i < 20; ++i) CHECK(entries(file(i).parent_path()) == 1);
  write_files_atomic({});

  write_file_atomic(folder / "occupied/inside", "kept");  // a folder cannot be replaced by a file
  CHECK_THROWS_AS(write_files_atomic({{file(0), "0"}, {folder / "occupied", "x"}, {file(2), "2"}}),
                  Error);
  CHECK_THROWS_AS(write_files_atomic({{file(3), "3"}, {"/proc/none", "x"}}), Error);
  CHECK(read_file(folder / "occupied/inside") == "kept");
  CHECK(read_file(file(2)) == "new 2");
  CHECK(read_file(file(3)) == "new 3");
  CHECK(entries(folder.path()) == 21);
  for (int i = 0; i < 20; ++i) CHECK(entries(file(i).parent_path()) == 1);
}

TEST_CASE("threads that write one file never mix their contents", "[base][files]") {
  const TestFolder folder;
  ThreadTeam team(4);
  for (int round = 0; round < 5; ++round) {
    team.run(8, [&](size_t i) {
      write_file_atomic(folder / "shared", std::string(300000, static_cast<char>('a' + i)));
    });
    const std::string content = read_file(folder / "shared");
    REQUIRE(content.size() == 300000);
    CHECK(content == std::string(300000, content[0]));
    CHECK(entries(folder.path()) == 1);
  }
}

TEST_CASE("what cannot be read is an error, not an empty text", "[base][files]") {
  const TestFolder folder;
  CHECK_THROWS_AS(read_file(folder / "missing"), Error);
  CHECK_THROWS_AS(read_file(folder.path()), Error);
  CHECK_THROWS_AS(sha256_file(folder / "missing"), Error);
  CHECK_THROWS_AS(sha256_file(folder.path()), Error);
  try {
    read_file(folder / "missing");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("missing") != std::string::npos);
    CHECK(std::string(error.what()).find("No such file") != std::string::npos);
  }
}

TEST_CASE("a folder comes whole or not at all", "[base][files]") {
  const TestFolder root;
  fs::create_directories(root / "full");
  write_file_atomic(root / "full" / "kept", "k");
  const auto fill = [](const fs::path& made) { write_file_atomic(made / "file", "content"); };
  make_folder_atomic(root / "new" / "", fill);
  CHECK(read_file(root / "new" / "file") == "content");
  fs::create_directories(root / "empty");
  const auto inode = [&](const fs::path& path) {
    struct stat found {};
    REQUIRE(::stat(path.c_str(), &found) == 0);
    return found.st_ino;
  };
  const auto before = inode(root / "empty");
  CHECK_THROWS_AS(make_folder_atomic(root / "empty",
                                     [&](const fs::path& made) {
                                       fill(made);
                                       throw Error("test", "fails in the middle");
                                     }),
                  Error);
  CHECK(fs::is_empty(root / "empty"));
  const pid_t gone = ::fork();
  if (gone == 0) ::_exit(0);
  ::waitpid(gone, nullptr, 0);
  fs::create_directories(root / "empty" / (".tmp" + std::to_string(gone)) / "half");  // was killed
  make_folder_atomic(root / "empty", fill);
  CHECK(read_file(root / "empty" / "file") == "content");
  CHECK(entries(root / "empty") == 1);
  CHECK(inode(root / "empty") == before);  // somebody's working directory, perhaps
  CHECK_THROWS_AS(make_folder_atomic(root / "full", fill), UsageError);
  CHECK_THROWS_AS(make_folder_atomic(root / "full" / "kept", fill), UsageError);
  CHECK_THROWS_AS(make_folder_atomic(root / "failed",
                                     [&](const fs::path& made) {
                                       fill(made);
                                       throw Error("test", "fails in the middle");
                                     }),
                  Error);
  CHECK(entries(root.path()) == 3);  // nothing of the last, and no temporaries
  CHECK(read_file(root / "full" / "kept") == "k");
}

TEST_CASE("utc_now is ISO 8601", "[base][files]") {
  const std::string now = utc_now();
  REQUIRE(now.size() == 20);
  CHECK((now[4] == '-' && now[10] == 'T' && now[19] == 'Z'));
}

TEST_CASE("sha256 gives the published answers", "[base][sha256]") {
  // FIPS 180-2, appendix B.
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  const std::string million = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
  CHECK(sha256_hex(std::string(1000000, 'a')) == million);
  Sha256 pieces;
  for (int i = 0; i < 1000; ++i) pieces.update(std::string(1000, 'a'));
  CHECK(pieces.hex() == million);
  const TestFolder folder;
  write_file_atomic(folder / "a", std::string(1000000, 'a'));
  CHECK(sha256_file(folder / "a") == million);
  write_file_atomic(folder / "exact", std::string(1 << 20, 'b'));  // one whole buffer
  CHECK(sha256_file(folder / "exact") == sha256_hex(std::string(1 << 20, 'b')));
}

TEST_CASE("a thread team runs every task once, again and again", "[base][threads]") {
  for (const size_t threads : {1, 2, 3, 8}) {
    ThreadTeam team(threads);
    CHECK(team.size() == threads);
    for (size_t round = 0; round < 300; ++round) {
      const size_t count = round % 20;
      std::vector<std::atomic<int>> done(count + 1);
      team.run(count, [&](size_t i) { ++done.at(i); });
      for (size_t i = 0; i < count; ++i) REQUIRE(done[i] == 1);
      REQUIRE(done[count] == 0);
    }
  }
}

TEST_CASE("a team of one thread works in the caller's thread, a larger one in several",
          "[base][threads]") {
  ThreadTeam one(1);
  one.run(5, [caller = std::this_thread::get_id()](size_t) {
    REQUIRE(std::this_thread::get_id() == caller);
  });
  ThreadTeam two(2);
  std::atomic<int> waiting{0};
  two.run(2, [&](size_t) {  // ends only if both tasks run at once
    ++waiting;
    while (waiting < 2) std::this_thread::yield();
  });
  CHECK(waiting == 2);
}

TEST_CASE("a thread team throws the first failure after the rest ended, and goes on",
          "[base][threads]") {
  for (const size_t threads : {1, 2, 4}) {
    ThreadTeam team(threads);
    for (int round = 0; round < 20; ++round) {
      std::atomic<int> ended{0};
      CHECK_THROWS_AS(team.run(16,
                               [&](size_t i) {
                                 if (i % 5 == 0) throw Error("task", "must fail");
                                 ++ended;
                               }),
                      Error);
      CHECK(ended == 12);
      ended = 0;
      team.run(3, [&](size_t) { ++ended; });
      CHECK(ended == 3);
    }
  }
}

TEST_CASE("a temporary is abandoned once the process that wrote it has ended", "[base][files]") {
  const pid_t ended = ::fork();
  if (ended == 0) ::_exit(0);
  REQUIRE(::waitpid(ended, nullptr, 0) == ended);
  const std::string gone = std::to_string(ended), here = std::to_string(::getpid());
  CHECK(is_abandoned_temporary("run/config.toml.tmp" + gone + "-3569062642357931209"));
  CHECK(is_abandoned_temporary("run/model.safetensors.tmp" + gone));
  CHECK(is_abandoned_temporary("run/metrics.h5.tmp"));
  CHECK_FALSE(is_abandoned_temporary("run/config.toml.tmp" + here + "-12"));
  CHECK_FALSE(is_abandoned_temporary("run/config.toml"));
  CHECK_FALSE(is_abandoned_temporary("run.tmp" + gone + "/config.toml"));
}

TEST_CASE("a registry refuses doubles and names what it knows", "[base][registry]") {
  struct Entry {
    int version = 1;
    std::string description;
    MakeConfig make_config;
  };
  Registry<Entry> registry("number", [](Registry<Entry>& r) {
    r.add("one", {1, "a built-in entry", {}});
  });
  registry.add("two", {7, "an entry from elsewhere", {}}, {"mine", 3, "/x/libmine.so"});
  CHECK(registry.at("two").version == 7);
  CHECK_THROWS_AS(registry.add("one", {}), Error);
  CHECK((registry.contains("one") && !registry.contains("three")));
  const std::vector<EntryInfo> entries = registry.list();
  REQUIRE(entries.size() == 2);
  CHECK((entries[0].name == "one" && entries[0].origin.built_in()));
  CHECK(entries[1].origin.plugin == "mine");
  CHECK(entries[1].origin.version == 3);
  try {
    registry.at("three");
    FAIL("three is not registered");
  } catch (const UsageError& error) {
    CHECK(std::string(error.what()) == "[number] must be one of one, two, but got 'three'");
  }
}
