// Runs on a corpus of files, killed and gone on with.
#include <chrono>
#include <thread>

#include "cli/test_program.h"

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
