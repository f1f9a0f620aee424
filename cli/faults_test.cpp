// What can go wrong around a sweep: each fault gives a clear error and loses nothing, and when it
// is lifted the same command ends with the bits of an undisturbed one.
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/test_program.h"

using namespace bitlab;
namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr int kShort = 200, kLong = 4000;  // steps; a long run takes the better part of a second

std::string experiment(int steps) {
  return small_experiment(/*seeds=*/2, steps, /*checkpoint_every=*/20);
}

// The experiment without any fault, done once for all tests.
const Program& calm_program(int steps) {
  static const TestFolder folder;
  static std::map<int, Program> known;
  const auto [program, fresh] =
      known.try_emplace(steps, folder.path(), "calm" + std::to_string(steps));
  if (fresh) {
    const std::string file = (folder / "small.toml").string();
    std::ofstream(file) << experiment(steps);
    REQUIRE(program->second.run({"run", file, "--jobs", "2"}) == 0);
    REQUIRE(program->second.runs("small").size() == 4);
    fs::permissions(folder.path(), fs::perms(0755));  // its cache is everybody's
  }
  return program->second;
}

// An experiment of four runs.
struct Bench {
  TestFolder folder;
  std::string file = (folder / "small.toml").string();
  std::vector<std::string> command = {"run", file, "--jobs", "2"};
  const Program& calm;
  Program program;

  explicit Bench(int steps = kShort)
      : calm(calm_program(steps)), program(folder.path(), "results", calm.cache()) {
    std::ofstream(file) << experiment(steps);
  }
  // Of the run that is `index`th in order of folders: arms bit, full; each with seeds 1, 2.
  fs::path run(std::size_t index) const {
    const fs::path twin = calm.runs("small").at(index);
    return program.results() / fs::relative(twin, calm.results());
  }
  int again() const { return program.run(command); }
  void check_recovers() const {
    INFO(program.results());
    const int code = again();
    INFO(program.output());
    CHECK(code == 0);
    check_same_results(program, calm, "small");
  }
  // Waits until a run has a checkpoint.
  void wait_for_checkpoint(const fs::path& dir) const {
    const auto end = steady_clock::now() + std::chrono::seconds(60);
    while (list_checkpoints(dir).empty() && steady_clock::now() < end)
      std::this_thread::sleep_for(milliseconds(2));
    REQUIRE_FALSE(list_checkpoints(dir).empty());
  }
  // Stops a schedule when a run has its first checkpoint, and waits for the end.
  void interrupt() const {
    const pid_t pid = program.start(command);
    wait_for_checkpoint(run(1));
    ::kill(pid, SIGTERM);
    Program::wait(pid);
  }
};

void edit_json(const fs::path& path, const std::function<void(nlohmann::json&)>& edit) {
  auto json = nlohmann::json::parse(read_file(path));
  edit(json);
  write_file_atomic(path, json.dump(2));
}

// Root may write anywhere: become somebody who may not.
void become_nobody() {
  if (::geteuid() != 0) return;
  if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(126);
}

// A file system of `size` on a folder, seen by this process and its children alone.
bool mount_small(const fs::path& folder, const std::string& size) {
  fs::create_directories(folder);
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("tmpfs", folder.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
}

}  // namespace

TEST_CASE("files that may not grow any further stop runs with the reason, not for good",
          "[faults][disk]") {
  // The first that does not fit: the plan, provenance, the metrics, a checkpoint, the whole.
  const rlim_t size = GENERATE(300, 2000, 6000, 24000, 40000);
  Bench bench;
  const int code = bench.program.run(bench.command, [&] {
    ::signal(SIGXFSZ, SIG_IGN);  // then writing fails as on a full disk
    const rlimit limit{size, size};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  });
  INFO(size << ": " << bench.program.output());
  CHECK(code == 1);
  bench.check_recovers();
}

TEST_CASE("a full disk stops runs with the reason, not for good", "[faults][disk]") {
  const std::string size = GENERATE("16k", "64k", "200k", "400k");
  Bench bench;
  const fs::path& results = bench.program.results();
  if (!mount_small(results, size)) {
    WARN("SKIPPED: no file system can be mounted here");
    return;
  }
  const int code = bench.again();
  const std::string output = bench.program.output();
  const bool grown = ::mount("none", results.c_str(), "tmpfs", MS_REMOUNT, "size=64m") ==
                     0;  // the fault is lifted
  REQUIRE(grown);
  {
    INFO(size << ": " << output);
    CHECK(code == 1);
    CHECK(contains(output, "No space left on device"));
    bench.check_recovers();
  }
  ::umount(results.c_str());
}

TEST_CASE("a results folder that is read-only is refused with its name", "[faults]") {
  Bench bench;
  const fs::path& results = bench.program.results();
  fs::create_directories(results);
  fs::permissions(bench.folder.path(), fs::perms(0755));
  if (::geteuid() != 0) fs::permissions(results, fs::perms(0555));
  CHECK(bench.program.run(bench.command, become_nobody) == 1);
  CHECK(contains(bench.program.output(), results.string()));
  CHECK(contains(bench.program.output(), "Permission denied"));
  fs::permissions(results, fs::perms(0755));
  bench.check_recovers();
}

TEST_CASE("an experiment that cannot be read is refused before anything runs", "[faults]") {
  Bench bench;
  const std::string good = read_file(bench.file);
  SECTION("not allowed") {
    fs::permissions(bench.folder.path(), fs::perms(0755));
    fs::permissions(bench.file, fs::perms::none);
    CHECK(bench.program.run(bench.command, become_nobody) == 2);
  }
  SECTION("cut off") {
    std::ofstream(bench.file) << good.substr(0, good.size() / 2) << "[train";
    CHECK(bench.again() == 2);
  }
  SECTION("a folder") {
    fs::remove(bench.file);
    fs::create_directory(bench.file);
    CHECK(bench.again() == 2);
    fs::remove(bench.file);
  }
  CHECK(contains(bench.program.output(), bench.file));
  CHECK(bench.program.runs("small").empty());
  fs::remove(bench.file);
  std::ofstream(bench.file) << good;
  bench.check_recovers();
}

TEST_CASE("what a newer bitlab wrote is refused and left as it is", "[faults]") {
  Bench bench(kLong);
  bench.interrupt();
  fs::path path;
  SECTION("plan") { path = bench.program.results() / "small" / "plan.json"; }
  SECTION("status") { path = bench.run(1) / "status.json"; }
  SECTION("checkpoint") { path = list_checkpoints(bench.run(1)).back() / "trainer.json"; }
  const std::string before = read_file(path);
  edit_json(path, [](nlohmann::json& json) { json["format"] = 99; });
  const std::string newer = read_file(path);
  CHECK(bench.again() == 1);
  INFO(bench.program.output());
  CHECK(contains(bench.program.output(), path.string()));
  CHECK(contains(bench.program.output(), "newer bitlab"));
  CHECK(read_file(path) == newer);
  write_file_atomic(path, before);
  bench.check_recovers();
}

TEST_CASE("a damaged status costs its run alone, and that only until it is deleted", "[faults]") {
  Bench bench(kLong);
  bench.interrupt();
  const fs::path status = bench.run(1) / "status.json";
  write_file_atomic(status, read_file(status).substr(0, 40));
  CHECK(bench.again() == 1);
  CHECK(contains(bench.program.output(), status.string()));
  for (const std::size_t other : {0, 2, 3}) CHECK(RunFolder(bench.run(other)).done());
  CHECK_FALSE(list_checkpoints(bench.run(1)).empty());
  fs::remove(status);
  bench.check_recovers();
}

TEST_CASE("a folder where a file should be is named", "[faults]") {
  Bench bench;
  const std::string name = GENERATE("metrics.h5", "status.json", "log.txt", "provenance.json");
  const fs::path path = bench.run(1) / name;
  fs::create_directories(path / "something");
  CHECK(bench.again() == 1);
  INFO(bench.program.output());
  CHECK(contains(bench.program.output(), path.string()));
  for (const std::size_t other : {0, 2, 3}) CHECK(RunFolder(bench.run(other)).done());
  CHECK(fs::exists(path / "something"));
  fs::remove_all(path);
  bench.check_recovers();
}

TEST_CASE("two schedulers on one folder share the work", "[faults]") {
  Bench bench(kLong);
  const Program other(bench.folder.path(), "other", bench.calm.cache());  // for its output
  const pid_t first = bench.program.start(bench.command);
  const pid_t second = other.start(
      bench.command, [&] { ::setenv("BITLAB_RESULTS", bench.program.results().c_str(), 1); });
  CHECK(Program::wait(first) == 0);
  CHECK(Program::wait(second) == 0);
  check_same_results(bench.program, bench.calm, "small");
  for (const fs::path& run : bench.program.runs("small"))
    CHECK(RunFolder(run).status().attempt == 1);
}

TEST_CASE("a clock that goes backwards changes nothing", "[faults]") {
  Bench bench(kLong);
  bench.interrupt();
  for (const fs::path& run : bench.program.runs("small")) {
    edit_json(run / "status.json",
              [](nlohmann::json& json) { json["started"] = "2999-01-01T00:00:00Z"; });
    for (const auto& file : fs::directory_iterator(run))
      fs::last_write_time(file, fs::file_time_type::clock::now() + std::chrono::hours(24 * 365));
  }
  bench.check_recovers();
  for (const fs::path& run : bench.program.runs("small"))
    CHECK(RunFolder(run).status().wall_seconds >= 0);
}

TEST_CASE("a crash of one worker costs one run", "[faults]") {
  Bench bench(kLong);
  const pid_t pid = bench.program.start(bench.command);
  bench.wait_for_checkpoint(bench.run(1));
  ::kill(static_cast<pid_t>(RunFolder(bench.run(1)).status().pid), SIGSEGV);
  CHECK(Program::wait(pid) == 1);
  CHECK(contains(bench.program.output(), "bit seed 2: FAILED: the worker was ended by signal 11"));
  CHECK(contains(bench.program.output(), "log.txt\n  | "));
  for (const std::size_t other : {0, 2, 3}) CHECK(RunFolder(bench.run(other)).done());
  bench.check_recovers();
}

TEST_CASE("one signal saves all, a second one ends at once", "[faults]") {
  const bool twice = GENERATE(false, true);
  Bench bench(kLong);
  const pid_t pid = bench.program.start(bench.command);
  bench.wait_for_checkpoint(bench.run(0));
  ::kill(pid, twice ? SIGINT : SIGTERM);
  if (twice) ::kill(pid, SIGINT);
  CHECK(Program::wait(pid) == (twice ? 130 : 143));
  const RunStatus status = RunFolder(bench.run(0)).status();
  CHECK(status.state == RunState::Interrupted);
  if (!twice) CHECK(status.step > 0);
  bench.check_recovers();
}

TEST_CASE("a run out of time keeps its state, and goes on when it is tried again", "[faults]") {
  Bench bench(kLong);
  bench.command.push_back("--timeout=0.5s");
  CHECK(bench.again() == 1);
  CHECK(contains(bench.program.output(), "timed out after 500 ms"));
  const RunStatus status = RunFolder(bench.run(0)).status();
  CHECK(status.state == RunState::Failed);
  CHECK(status.step > 0);
  bench.command.back() = "--retry-failed";
  bench.check_recovers();
}
