#include "core/data/sources.h"

#include <fstream>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/io/test_environment.h"
#include "core/io/test_folder.h"

using namespace bitlab;
namespace fs = std::filesystem;

namespace {

const std::string kText = "ROMEO:\nWhat light?\n\nJULIET:\nIt is the east.\n";
const std::string kCrlf = "ROMEO:\r\nWhat light?\r\n\r\nJULIET:\r\nIt is the east.\r\n";

// A folder with a cache, a mirror and an "internet", and a source that is served from it.
struct World {
  TestFolder folder;
  Environment environment;
  RemoteFile file{"play", "play.txt", {}, kText.size(), sha256_hex(kText)};
  Source source{"play", {}, kText.size(), sha256_hex(kText), "none", "a test", {}};

  World() {
    environment.set("BITLAB_CACHE", (folder / "cache").string());
    environment.set("BITLAB_MIRROR",
                    (folder / "nowhere").string() + ":" + (folder / "mirror").string());
    fs::create_directories(folder / "mirror" / "deep" / "down");
    file.urls = {"file://" + (folder / "gone.txt").string(),
                 "file://" + (folder / "web.txt").string()};
    source.forms = {{file}};
  }
  void put(const fs::path& path, const std::string& content) const {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
  }
  fs::path web() const { return folder / "web.txt"; }
  fs::path mirror() const { return folder / "mirror" / "deep" / "down" / "play.txt"; }
};

bool says(const std::vector<std::string>& notes, const std::string& part) {
  for (const std::string& note : notes)
    if (note.find(part) != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_CASE("a source is downloaded into the cache once", "[data][sources]") {
  World world;
  world.put(world.web(), kText);
  CHECK_FALSE(find_local(world.source));
  const Fetched fetched = fetch(world.file);
  CHECK(find_local(world.source)->paths == std::vector{fetched.path});
  CHECK(fetched.path == world.folder / "cache" / "play" / "play.txt");
  CHECK(read_file(fetched.path) == kText);
  CHECK(says(fetched.notes, "gone.txt"));  // the first address did not work
  fs::remove(world.web());
  CHECK(fetch(world.source).paths == std::vector{fetched.path});
}

TEST_CASE("a mirror is used before the network, by name and hash", "[data][sources]") {
  World world;
  world.put(world.folder / "mirror" / "play.txt", "another play of that name");
  world.put(world.mirror(), kText);
  const Fetched fetched = fetch(world.file);
  CHECK(fetched.path == world.mirror());
  CHECK_FALSE(fs::exists(cached_path(world.file)));
}

TEST_CASE("any complete form of a source will do, and the first is downloaded", "[data][sources]") {
  World world;
  const std::string one = "a different form\n", two = "in two files\n";
  const RemoteFile parts[] = {{"play", "one.txt", {}, one.size(), sha256_hex(one)},
                              {"play", "two.txt", {}, two.size(), sha256_hex(two)}};
  world.source.forms.push_back({parts[0], parts[1]});
  world.put(world.web(), kText);
  world.put(world.folder / "mirror" / "one.txt", one);
  CHECK_FALSE(find_local(world.source));  // half of the second form
  world.put(world.folder / "mirror" / "two.txt", two);
  const FetchedSource fetched = fetch(world.source);
  CHECK(fetched.form == 1);
  CHECK(fetched.paths ==
        std::vector{world.folder / "mirror" / "one.txt", world.folder / "mirror" / "two.txt"});
  fs::remove(world.folder / "mirror" / "one.txt");
  CHECK(fetch(world.source).form == 0);
}

TEST_CASE("a damaged file in the cache is replaced, loudly", "[data][sources]") {
  World world;
  world.put(world.web(), kText);
  world.put(cached_path(world.file), "damaged");
  const Fetched fetched = fetch(world.file);
  CHECK(read_file(fetched.path) == kText);
  CHECK(says(fetched.notes, "instead of " + world.source.sha256));
  CHECK(fetch(world.source).notes.empty());
}

TEST_CASE("a copy with CR LF line ends gives the same text, loudly", "[data][sources]") {
  World world;
  world.put(world.mirror(), kCrlf);
  const SourceText text = open_first(std::vector<Source>{world.source});
  CHECK(text.text == kText);
  CHECK(text.sha256 == world.source.sha256);
  CHECK(text.bytes == kText.size());
  CHECK(says(text.notes, "5 CR characters"));
}

TEST_CASE("the next source is used when the first cannot be had, and the notes say why",
          "[data][sources]") {
  World world;
  const Source embedded{
      "embedded", {}, 3, sha256_hex("abc"), "", "", [] { return std::string("abc"); }};
  const SourceText text = open_first(std::vector<Source>{world.source, embedded});
  CHECK(text.name == "embedded");
  CHECK(text.text == "abc");
  CHECK(text.sha256 == sha256_hex("abc"));
  CHECK(says(text.notes, "play is not used"));
  CHECK(says(text.notes, "web.txt"));
  CHECK(says(text.notes, "no mirror has a play.txt"));
  CHECK_THROWS_AS(open_first(std::vector<Source>{world.source}), Error);

  world.put(world.web(), kText);
  CHECK(open_first(std::vector<Source>{world.source, embedded}).name == "play");
}

TEST_CASE("a file on the network with another hash is refused", "[data][sources]") {
  World world;
  world.put(world.web(), std::string(kText.size(), 'x'));
  CHECK_THROWS_AS(fetch(world.source), Error);
  CHECK_FALSE(fs::exists(cached_path(world.file)));
}

TEST_CASE("generated sources need nothing and are kept on request", "[data][sources]") {
  World world;
  const SourceText text = open_first(std::vector<std::string>{"synthetic-plays"});
  CHECK(text.name == "synthetic-plays");
  CHECK(text.notes.empty());
  CHECK_FALSE(fs::exists(world.folder / "cache"));
  const FetchedSource fetched = fetch(find_source("synthetic-plays"));
  CHECK(read_file(fetched.paths.front()) == text.text);
}

TEST_CASE("a text of one's own is named by its path", "[data][sources]") {
  World world;
  const std::string path = (world.folder / "mine.txt").string();
  world.put(path, "one\r\ntwo\r\n");
  const SourceText text = open_first(std::vector<std::string>{path});
  CHECK(text.text == "one\ntwo\n");
  CHECK(text.name == path);
  CHECK(says(text.notes, "2 CR characters"));
  CHECK_THROWS_AS(open_first(std::vector<std::string>{path + ".absent"}), Error);
}

TEST_CASE("an unknown source is a wrong request", "[data][sources]") {
  CHECK_THROWS_AS(find_source("tinyshakespere"), UsageError);
  try {
    find_source("tinyshakespere");
  } catch (const UsageError& e) {
    CHECK(std::string(e.what()).find("synthetic-plays, tinyshakespeare") != std::string::npos);
  }
}

TEST_CASE("the cache is where the environment says", "[data][sources]") {
  Environment environment;
  environment.set("BITLAB_CACHE", "");
  environment.set("XDG_CACHE_HOME", "");
  environment.set("HOME", "/home/ada");
  CHECK(cache_folder() == "/home/ada/.cache/bitlab");
  environment.set("XDG_CACHE_HOME", "/x");
  CHECK(cache_folder() == "/x/bitlab");
  environment.set("BITLAB_CACHE", "/b");
  CHECK(cache_folder() == "/b");
  environment.set("BITLAB_MIRROR", "/a::/b c:");
  CHECK(mirror_folders() == std::vector<fs::path>{"/a", "/b c"});
}

TEST_CASE("only CR before LF is left out", "[data][sources]") {
  std::string text = "a\r\nb\rc\r\r\n\r";
  CHECK(normalise_line_ends(text) == 2);
  CHECK(text == "a\nb\rc\r\n\r");
}

TEST_CASE("a corpus needs no files once its tokens are kept", "[data][sources]") {
  World world;
  world.put(world.web(), kText);
  world.source.read = [](const FetchedSource& files, const TextPartSink& sink) {
    sink({TextSplit::Whole, read_file(files.paths.front()), true, "play"});
  };
  const auto open = [&](bool kept) {
    return open_first({world.source}, [&](const Source&, const Corpus&) { return kept; });
  };
  const SourceText text = open(false);
  CHECK(text.text.empty());
  CHECK(text.sha256 == world.source.sha256);
  CHECK(says(text.notes, "gone.txt"));
  CHECK(measure(*text.corpus).sha256 == sha256_hex(kText));
  fs::remove(world.web());
  fs::remove(cached_path(world.file));
  CHECK_THROWS_AS(open(false), Error);
  const SourceText kept = open(true);
  CHECK(kept.corpus->identity() == text.corpus->identity());
  CHECK_THROWS_AS(measure(*kept.corpus), Error);
}
