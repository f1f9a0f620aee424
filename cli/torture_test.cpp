// A sweep whose workers and scheduler are killed at random, again and again.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iterator>
#include <optional>
#include <thread>

#include "cli/test_program.h"
#include "core/base/rng.h"

using namespace bitlab;
namespace fs = std::filesystem;
using std::chrono::milliseconds;

namespace {

constexpr int kCheckpointEvery = 20;

// Opens every metrics.h5 below a folder with a plain h5py, over and over, until FOLDER.stop exists.
constexpr const char* kReader = R"(
import glob, os, sys, h5py
folder, opened, broken = sys.argv[1], 0, []
while True:
    last = os.path.exists(folder + ".stop")
    for path in glob.glob(folder + "/*/*/*/metrics.h5"):
        try:
            with h5py.File(path, "r") as f:
                for name in ("train", "eval", "quant"):
                    f[name]["step"]
            opened += 1
        except Exception as e:
            broken.append(f"{path}: {e!r}")
    if last:
        break
print("opened", opened, "broken", len(broken), *broken[:5], sep="\n")
sys.exit(1 if broken or not opened else 0)
)";

bool have_h5py() { return std::system("/usr/bin/python3 -c 'import h5py' >/dev/null 2>&1") == 0; }

// A process that reads while others write.
class Reader {
 public:
  explicit Reader(const fs::path& folder) : folder_(folder.string()) {
    fs::remove(folder_ + ".stop");
    std::ofstream(folder_ + ".py") << kReader;
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
    if (!std::freopen((folder_ + ".read").c_str(), "w", stdout)) ::_exit(99);
    ::execl("/usr/bin/python3", "python3", (folder_ + ".py").c_str(), folder_.c_str(), nullptr);
    ::_exit(127);
  }
  ~Reader() {
    if (pid_ > 0) stop();
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  int stop() {
    std::ofstream(folder_ + ".stop").flush();
    const int code = Program::wait(pid_);
    pid_ = -1;
    return code;
  }
  std::string report() const { return read_file(folder_ + ".read"); }

 private:
  std::string folder_;
  pid_t pid_ = -1;
};

bool ended(pid_t pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid;
}

// The living children of a process.
std::vector<pid_t> children(pid_t pid) {
  const std::string name = std::to_string(pid);
  std::ifstream in("/proc/" + name + "/task/" + name + "/children");
  return {std::istream_iterator<pid_t>(in), {}};
}

// Kills something of a running schedule; whether the scheduler is gone with it.
bool kill_something(pid_t scheduler, double choice, int& kills) {
  if (choice < 0.5) {  // one worker
    const std::vector<pid_t> workers = children(scheduler);
    if (workers.empty()) return false;
    const auto which = static_cast<std::size_t>(choice * 2 * static_cast<double>(workers.size()));
    ::kill(workers[which], SIGKILL);
    ++kills;
    return false;
  }
  if (choice < 0.75) {  // all at once, as when the power goes
    ::kill(scheduler, SIGSTOP);
    for (const pid_t worker : children(scheduler)) {
      ::kill(worker, SIGKILL);
      ++kills;
    }
  }
  ::kill(scheduler, SIGKILL);
  ++kills;
  return true;
}

// No attempt may begin further back than one checkpoint interval before the last step that was
// computed. One step more may have been computed and not yet logged.
void check_nothing_done_twice(const fs::path& run) {
  INFO(run.string());
  std::ifstream in(run / "log.txt");
  long long last = 0, step = 0, first = 0;
  bool began = true;
  char slash = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("--- started again")) began = true, first = 0;
    std::sscanf(line.c_str(), "resumed at step %lld", &first);
    if (std::sscanf(line.c_str(), "step %lld%c", &step, &slash) != 2 || slash != '/') continue;
    if (began) CHECK(last - first <= kCheckpointEvery);
    if (began) CHECK(step == first + 1);
    began = false;
    last = step;
  }
  CHECK(last > 0);
}

int wanted_kills() {
  const char* value = std::getenv("BITLAB_TEST_KILLS");
  return value != nullptr ? std::atoi(value) : 40;
}

}  // namespace

TEST_CASE("a sweep that is killed at random ends as an undisturbed one, with nothing done twice",
          "[torture]") {
  const TestFolder folder;
  const std::string file = (folder / "small.toml").string();
  std::ofstream(file) << small_experiment(/*seeds=*/6, /*steps=*/1000, kCheckpointEvery);
  const std::vector<std::string> command = {"run", file, "--jobs", "2"};
  const Program calm(folder.path(), "calm");
  REQUIRE(calm.run(command) == 0);
  REQUIRE(calm.runs("small").size() == 12);

  const Rng rng(static_cast<std::uint64_t>(::getpid()), "kills");
  std::uint64_t draw = 0;
  int kills = 0, starts = 0;
  for (int round = 0; kills < wanted_kills(); ++round) {
    const Program disturbed(folder.path(), "round" + std::to_string(round));
    std::optional<Reader> reader;
    if (have_h5py()) reader.emplace(disturbed.results());
    int code = -1;
    while (code != 0) {
      REQUIRE(++starts < 20 * wanted_kills());
      const pid_t scheduler = disturbed.start(command);
      bool gone = false;
      while (!gone && kills < wanted_kills()) {
        const auto wait = static_cast<int>(20 + rng.below(500, 0, draw++));
        std::this_thread::sleep_for(milliseconds(wait));
        if (ended(scheduler)) break;
        gone = kill_something(scheduler, rng.uniform(1, draw++), kills);
      }
      code = Program::wait(scheduler);
    }
    if (reader) {
      const int read = reader->stop();
      INFO(reader->report());
      CHECK(read == 0);
    } else {
      WARN("SKIPPED: h5py is not installed, so nobody read the metrics meanwhile");
    }
    check_same_results(disturbed, calm, "small");
    for (const fs::path& run : disturbed.runs("small")) check_nothing_done_twice(run);
  }
  std::printf("%d kills, %d starts\n", kills, starts);
}
