// Runs on a corpus of files, killed and gone on with.
#include <chrono>
#include <thread>

#include "cli/test_program.h"
#include "core/base/format_count.h"
#include "core/data/sources.h"
#include "core/text/named_tokenizers.h"

using namespace bitlab;
namespace fs = std::filesystem;

namespace {

std::string experiment(const fs::path& shelf) {
  std::string toml = small_experiment(1, 400, 50);
  const std::string data = "sources = [\"synthetic-plays\"]";
  return toml.replace(toml.find(data), data.size(),
                      "sources = [\"files\"]\nfiles.path = \"" + shelf.string() +
                          "\"\ntokenizer = \"bpe\"\nbpe.vocab_size = 300");
}

void fill(const fs::path& shelf) {
  for (int i = 0; i < 40; ++i) {
    std::string lines;
    for (int k = 0; k < 200; ++k)
      lines += "{\"text\": \"record " + std::to_string(k * i % 89) + " of shelf " +
               std::to_string(i) + " is a " + (k % 3 ? "short" : "somewhat longer") + " one\"}\n";
    write_file_atomic(shelf / (std::to_string(100 + i) + ".jsonl"), lines);
  }
}

}  // namespace

TEST_CASE("a killed run on a corpus ends with the same bits", "[corpus]") {
  const TestFolder root;
  fill(root / "shelf");
  write_file_atomic(root / "x.toml", experiment(root / "shelf"));
  const std::string file = (root / "x.toml").string();
  const Program calm(root / "", "calm"), disturbed(root / "", "disturbed", root / "other");
  REQUIRE(calm.run({"run", file, "-j1"}) == 0);
  for (const int wait : {80, 150, 250, 400, 600}) {  // wherever that is: in the cache, in a run
    const pid_t pid = disturbed.start({"run", file, "-j1"}, [] { ::setpgid(0, 0); });
    std::this_thread::sleep_for(std::chrono::milliseconds(wait));
    ::kill(-pid, SIGKILL);
    Program::wait(pid);
  }
  REQUIRE(disturbed.run({"run", file, "-j1"}) == 0);
  check_same_results(disturbed, calm, "x");
}

TEST_CASE("bitlab data lists every source and tokenizer with bytes, licence and address",
          "[corpus]") {
  const TestFolder root;
  const Program program(root.path(), "results");
  REQUIRE(program.run({"data"}) == 0);
  const std::string text = program.output();
  const auto has = [&](const std::string& what) {
    INFO(what << " in\n" << text);
    CHECK(contains(text, what));
  };
  const auto has_files = [&](const std::vector<RemoteFile>& files) {
    for (const RemoteFile& file : files)
      for (const std::string& url : file.urls) {
        has(url);
        if (file.bytes > 0) has(format_count(static_cast<std::int64_t>(file.bytes)));
      }
  };
  for (const std::string& name : data_sources().names()) {
    const Source& source = data_sources().at(name);
    has("\n" + name + " ");
    has(source.licence);
    if (source.bytes > 0) has(format_count(static_cast<std::int64_t>(source.bytes)));
    for (const auto& form : source.forms) has_files(form);
  }
  for (const NamedTokenizer& named : named_tokenizers()) {
    has("\n" + named.name + " ");
    has_files(named.files);
  }
  REQUIRE(program.run({"data", "list"}) == 0);
  CHECK(program.output() == text);
  CHECK(program.run({"data", "list", "more"}) == 2);
}
