// Where a run came from, and whether it can be repeated.
#include "experiments/provenance.h"

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/simd/kernels.h"
#include "experiments/build_source.h"
#include "experiments/rerun.h"
#include "experiments/test_runs.h"

using namespace bitlab;
namespace fs = std::filesystem;

namespace {

std::string short_config(int steps) {
  std::string config = small_config();
  config.replace(config.find("steps = 600"), 11, "steps = " + std::to_string(steps));
  return config;
}

void sh(const fs::path& folder, const std::string& commands) {
  const std::string line =
      "cd '" + folder.string() +
      "' && export HOME=. GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a "
      "GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b && { " +
      commands + "; } >/dev/null";
  REQUIRE(std::system(line.c_str()) == 0);
}

// What the build's script writes for a source tree.
std::string build_source_of(const fs::path& tree) {
  const fs::path script =
      fs::path(std::getenv("BITLAB_SOURCE_DIR")) / "scripts" / "build_source.py";
  sh(tree, "python3 '" + script.string() + "' . build source.cpp");
  return read_file(tree / "source.cpp");
}

}  // namespace

TEST_CASE("a run's provenance names build, machine, data and every attempt", "[provenance]") {
  const TestFolder folder;
  const fs::path dir = make_run(folder, "run", short_config(40));
  const pid_t pid = start_worker(dir, 1);
  while (list_checkpoints(dir).empty() && !fs::exists(dir / "DONE")) ::usleep(500);
  ::kill(pid, SIGKILL);
  wait_for(pid);
  fs::remove(dir / "DONE");  // it may have been too fast for us
  REQUIRE(wait_for(start_worker(dir, 2)) == 0);

  const auto json = nlohmann::json::parse(read_file(dir / "provenance.json"));
  const auto& build = json.at("build");
  CHECK(build.at("binary_sha256") == sha256_file("/proc/self/exe"));
  CHECK(build.at("dirty") == build_source().dirty());
  CHECK(build.at("git").get<std::string>().starts_with(
      build.at("commit").get<std::string>().substr(0, 12)));
  CHECK(build.at("compiler_flags").get<std::string>().find("-std=c++20") != std::string::npos);
  CHECK(fs::exists(dir / "git.diff") == build_source().dirty());
  if (build_source().dirty()) CHECK(read_file(dir / "git.diff") == build_source().diff);
  CHECK(json.at("machine").at("kernels") == simd::kernels().name);
  CHECK(json.at("machine").at("blas").get<std::string>().starts_with("OpenBLAS"));
  CHECK(json.at("data").at("sha256").get<std::string>().size() == 64);
  CHECK(json.at("environment").at("BITLAB_SOURCE_DIR") == std::getenv("BITLAB_SOURCE_DIR"));
  CHECK(json.at("threads") == 2);
  CHECK(json.at("ended").get<std::string>().size() == 20);
  REQUIRE(json.at("attempts").size() == 2);
  CHECK(json.at("attempts")[0].at("ended") == "");  // killed
  CHECK(json.at("attempts")[1].at("state") == "done");
  CHECK(json.at("attempts")[1].at("first_step") > 0);

  const RunOrigin origin = read_origin(RunFolder(dir));
  CHECK(origin.seed == 5);
  CHECK(origin.arm == "bit");
  CHECK(origin.threads == 2);
  CHECK_FALSE(origin.same_threads);  // first it was one
}

TEST_CASE("damaged provenance costs no run", "[provenance]") {
  const TestFolder folder;
  const fs::path dir = make_run(folder, "run", short_config(10));
  write_file_atomic(dir / "provenance.json", "{\"attempts\": 3");
  CHECK_THROWS_AS(read_origin(RunFolder(dir)), Error);
  CHECK(wait_for(start_worker(dir, 1)) == 0);
  CHECK(read_origin(RunFolder(dir)).experiment == "test");
  CHECK(read_origin(RunFolder(dir)).same_threads);
}

TEST_CASE("the build takes down the commit and what differs from it", "[provenance]") {
  if (std::system("git --version >/dev/null 2>&1") != 0) {
    WARN("SKIPPED: git is not installed");
    return;
  }
  const TestFolder folder;
  const fs::path tree = folder.path();
  sh(tree,
     "git init -q . && mkdir core && echo 'int one;' >core/a.cpp && echo hello >README && "
     "git add core README && git commit -qm one && git rev-parse HEAD >commit");
  const std::string clean = build_source_of(tree);
  const std::string commit = read_file(tree / "commit").substr(0, 40);
  CHECK(clean.find("\"" + commit + "\"") != std::string::npos);
  CHECK(clean.find("std::string(\"\", 0)") != std::string::npos);

  sh(tree, "echo more >>README");  // compiles into nothing
  CHECK(build_source_of(tree) == clean);

  sh(tree,
     "echo 'int two; // \"why?"
     "?/\\'  >>core/a.cpp; echo 'int three;' >core/new.cpp");
  const std::string dirty = build_source_of(tree);
  CHECK(dirty.find("+int two; // \\\"why\\077\\077/\\\\") != std::string::npos);
  CHECK(dirty.find("+int three;") != std::string::npos);
  CHECK(dirty.find("README") == std::string::npos);
  sh(tree, "git status --porcelain >status && ! grep -q '^A' status");  // the index is as it was
}

TEST_CASE("runs are compared to the bit", "[provenance][rerun]") {
  const TestFolder folder;
  const fs::path a = make_run(folder, "a", short_config(20));
  const fs::path b = make_run(folder, "b", short_config(20));
  REQUIRE(wait_for(start_worker(a, 1)) == 0);
  REQUIRE(wait_for(start_worker(b, 2)) == 0);
  RunComparison same = compare_runs(a, b);
  CHECK(same.identical());
  CHECK(same.weights_compared);
  CHECK(same.loss_a.has_value());

  const fs::path weights = list_checkpoints(b).back() / "model.safetensors";
  std::string bytes = read_file(weights);
  bytes.back() ^= 1;
  write_file_atomic(weights, bytes);
  const RunComparison other_weights = compare_runs(a, b);
  CHECK(other_weights.same_loss());
  CHECK_FALSE(other_weights.identical());

  fs::remove_all(b / "ckpt");
  CHECK(compare_runs(a, b).identical());  // published runs have no weights

  std::string config = short_config(20);
  config.replace(config.find("lr = 3e-3"), 9, "lr = 4e-3");
  const fs::path c = make_run(folder, "c", config);
  REQUIRE(wait_for(start_worker(c, 1)) == 0);
  const RunComparison other = compare_runs(a, c);
  CHECK_FALSE(other.identical());
  CHECK(other.differ_from == 7);  // the first row of the log
}
