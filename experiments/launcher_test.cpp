// The local launcher with a real program: a script that plays the worker.
#include "experiments/launcher.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "core/base/catch.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/test_folder.h"
#include "experiments/run_folder.h"
#include "experiments/scheduler.h"

using namespace bitlab;
namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// Holds the run's lock like a worker, notes each start, and does what RUN/todo says.
constexpr const char* kWorker = R"(#!/usr/bin/env python3
import fcntl, os, pathlib, signal, struct, sys, time

run = pathlib.Path(sys.argv[3])
lock = open(run / "lock", "a+")
try:
    fcntl.fcntl(lock, fcntl.F_OFD_SETLK,
                struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
except OSError:
    sys.exit("held by another worker")
if (run / "DONE").exists():
    sys.exit()
with open(run / "starts", "a") as starts:
    print(*sys.argv[1:], file=starts)
print("blas", os.environ["OPENBLAS_NUM_THREADS"], flush=True)
print("to stderr", file=sys.stderr, flush=True)
todo = (run / "todo").read_text()

def save(number, frame):
    (run / "saved").touch()
    sys.exit(128 + number)

signal.signal(signal.SIGTERM, signal.SIG_IGN if todo == "deaf" else save)
(run / "ready").touch()
if todo in ("save", "deaf"):
    time.sleep(60)
if todo == "slow":
    time.sleep(0.5)
if todo == "crash":
    os.kill(os.getpid(), signal.SIGSEGV)
if todo == "fail":
    sys.exit(7)
(run / "DONE").touch()
)";

class Folder : public TestFolder {
 public:
  Folder() {
    std::ofstream(program()) << kWorker;
    fs::permissions(program(), fs::perms::owner_all);
  }
  fs::path program() const { return path() / "worker.py"; }
  RunJob job(const std::string& arm, const std::string& todo = "") const {
    const RunJob job{"x", arm, 4, 10, path() / arm};
    fs::create_directories(job.dir);
    std::ofstream(job.dir / "todo") << todo;
    return job;
  }
  LocalLauncherOptions options(std::size_t slots = 2) const { return {program(), {slots, 3}}; }
};

bool wait_for(const fs::path& path) {
  const auto end = steady_clock::now() + std::chrono::seconds(10);
  while (!fs::exists(path) && steady_clock::now() < end)
    std::this_thread::sleep_for(milliseconds(5));
  return fs::exists(path);
}

std::size_t lines_of(const fs::path& path) {
  std::ifstream in(path);
  std::size_t lines = 0;
  for (std::string line; std::getline(in, line);) ++lines;
  return lines;
}

RunExit only_exit(Launcher& launcher) {
  const auto exits = launcher.poll(std::chrono::seconds(10));
  REQUIRE(exits.size() == 1);
  return exits[0];
}

}  // namespace

TEST_CASE("a worker gets its arguments, one BLAS thread and a log for all that it prints",
          "[launcher]") {
  Folder folder;
  LocalLauncher launcher(folder.options());
  const RunJob job = folder.job("a");
  launcher.start(5, job);
  const RunExit exit = only_exit(launcher);
  CHECK(exit.job == 5);
  CHECK(exit.code == 0);
  CHECK(read_file(job.dir / "starts") ==
        "worker --run " + job.dir.string() + " --experiment x --arm a --seed 4 --threads 3\n");
  CHECK(read_file(job.dir / "log.txt") == "blas 1\nto stderr\n");
}

TEST_CASE("a later attempt appends to the log behind a line that says so", "[launcher]") {
  Folder folder;
  LocalLauncher launcher(folder.options());
  const RunJob job = folder.job("a", "fail");
  launcher.start(0, job);
  CHECK(only_exit(launcher).code == 7);
  launcher.start(0, job);
  CHECK(only_exit(launcher).code == 7);
  const std::string log = read_file(job.dir / "log.txt");
  CHECK(log.rfind("blas 1\nto stderr\n--- started again 2", 0) == 0);
  CHECK(log.find(" ---\nblas 1\nto stderr\n") != std::string::npos);
}

TEST_CASE("a crash is told by its signal", "[launcher]") {
  Folder folder;
  LocalLauncher launcher(folder.options());
  launcher.start(0, folder.job("a", "crash"));
  const RunExit exit = only_exit(launcher);
  CHECK(exit.killed);
  CHECK(exit.code == 128 + SIGSEGV);
}

TEST_CASE("a program that cannot be started is an error that names it", "[launcher]") {
  Folder folder;
  LocalLauncher launcher({folder.path() / "missing"});
  try {
    launcher.start(0, folder.job("a"));
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(std::string(e.what()) == "[launcher] " + (folder.path() / "missing").string() +
                                       " cannot be started: No such file or directory");
  }
  CHECK(launcher.poll(milliseconds(0)).empty());
}

TEST_CASE("a stop reaches workers as SIGTERM, a second one as SIGKILL", "[launcher]") {
  Folder folder;
  LocalLauncher launcher(folder.options());
  const RunJob saves = folder.job("saves", "save"), deaf = folder.job("deaf", "deaf");
  launcher.start(0, saves);
  launcher.start(1, deaf);
  REQUIRE(wait_for(saves.dir / "ready"));
  REQUIRE(wait_for(deaf.dir / "ready"));
  CHECK(launcher.claimed(saves));
  launcher.stop(false);
  RunExit exit = only_exit(launcher);
  CHECK(exit.job == 0);
  CHECK(exit.code == 143);
  CHECK(!exit.killed);
  CHECK(fs::exists(saves.dir / "saved"));
  launcher.stop(true);
  exit = only_exit(launcher);
  CHECK(exit.job == 1);
  CHECK(exit.code == 137);
  CHECK(exit.killed);
}

TEST_CASE("a run is claimed while its worker lives and no longer", "[launcher]") {
  Folder folder;
  LocalLauncher launcher(folder.options());
  const RunJob job = folder.job("a", "slow");
  CHECK(!launcher.claimed(job));
  CHECK(!fs::exists(job.dir / "lock"));  // asking leaves nothing behind
  launcher.start(0, job);
  REQUIRE(wait_for(job.dir / "ready"));
  CHECK(launcher.claimed(job));
  only_exit(launcher);
  CHECK(!launcher.claimed(job));
}

#ifdef __linux__
TEST_CASE("workers of a scheduler that was killed save their state and end", "[launcher]") {
  Folder folder;
  const RunJob job = folder.job("a", "save");
  const pid_t scheduler = ::fork();
  if (scheduler == 0) {
    LocalLauncher launcher(folder.options());
    launcher.start(0, job);
    while (true) launcher.poll(std::chrono::seconds(1));
  }
  REQUIRE(wait_for(job.dir / "ready"));
  ::kill(scheduler, SIGKILL);
  ::waitpid(scheduler, nullptr, 0);
  CHECK(wait_for(job.dir / "saved"));
}
#endif

TEST_CASE("a schedule of real processes skips, runs, and tells of failures",
          "[launcher][scheduler]") {
  Folder folder;
  LocalLauncher launcher(folder.options());
  const RunJob done = folder.job("done"), good = folder.job("good"),
               bad = folder.job("bad", "fail");
  RunFolder(done.dir).mark_done();
  ScheduleObserver silent;
  StopRequest stop;
  const ScheduleOutcome outcome = Scheduler({done, good, bad}, launcher, silent, {}).run(stop);
  CHECK(outcome.exit_code() == 1);
  CHECK(outcome.runs[0].phase == RunPhase::Done);
  CHECK(!fs::exists(done.dir / "starts"));
  CHECK(outcome.runs[1].phase == RunPhase::Done);
  CHECK(outcome.runs[2].reason == "the worker ended with code 7 and no reason");
}

TEST_CASE("two schedulers on one folder do every run once and both see the end",
          "[launcher][scheduler]") {
  Folder folder;
  std::vector<RunJob> jobs;
  for (int i = 0; i < 6; ++i)
    jobs.push_back(folder.job("arm" + std::to_string(i), i % 2 ? "slow" : ""));
  const pid_t other = ::fork();
  LocalLauncher launcher(folder.options());
  ScheduleObserver silent;
  StopRequest stop;
  const int code =
      Scheduler(jobs, launcher, silent, {false, milliseconds(10)}).run(stop).exit_code();
  if (other == 0) ::_exit(code);
  int status = 0;
  ::waitpid(other, &status, 0);
  CHECK(code == 0);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  for (const RunJob& job : jobs) CHECK(lines_of(job.dir / "starts") == 1);
}

TEST_CASE("at least one core is available", "[launcher]") { CHECK(available_cores() >= 1); }
