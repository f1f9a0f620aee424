#pragma once
// Where runs run. The scheduler knows this interface only, so that another machine is another
// Launcher.
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace bitlab {

// One run to do.
struct RunJob {
  std::string experiment, arm;
  std::uint64_t seed = 1;
  std::int64_t steps = 0;
  std::filesystem::path dir;  // the run folder; holds config.toml
  std::string base = {};      // what pruning compares within: the arm of the file
  std::vector<std::filesystem::path> needs = {};  // run folders that must be done first
};

// How a started run ended.
struct RunExit {
  std::size_t job = 0;  // the id that start() was given
  int code = 0;         // exit code, or 128 + signal if a signal ended it
  bool killed = false;  // a signal ended it: it could not say why in its status
};

class Launcher {
 public:
  virtual ~Launcher() = default;

  // How many runs it takes at once; at least 1.
  virtual std::size_t slots() const = 0;

  // Starts a run under an id that the caller chose. Throws Error if that is not possible.
  virtual void start(std::size_t id, const RunJob& job) = 0;

  // The runs that ended since the last call. Returns early when one ends, else after `wait`.
  virtual std::vector<RunExit> poll(std::chrono::milliseconds wait) = 0;

  // Asks one started run, or all, to save its state and end, or ends it at once.
  virtual void stop_run(std::size_t id, bool at_once) = 0;
  virtual void stop(bool at_once) = 0;

  // Whether a living worker, of this launcher or of another scheduler, holds this run.
  virtual bool claimed(const RunJob& job) const = 0;
};

// This program as it was started: a rebuild meanwhile does not mix two programs in one experiment.
inline constexpr const char* kThisProgram = "/proc/self/exe";

// How cores are shared.
struct CoreShare {
  std::size_t slots = 1;    // runs at once
  std::size_t threads = 1;  // of each
};

struct LocalLauncherOptions {
  std::filesystem::path
      program;  // PROGRAM worker --run DIR --experiment NAME --arm A --seed K --threads T
  CoreShare share = {};
};

// Worker processes on this machine, each in a process group of its own (a Ctrl-C reaches the
// scheduler alone, which passes it on) with OPENBLAS_NUM_THREADS=1 and all that it prints in
// RUN/log.txt. They get SIGTERM if this process dies, and save their state then.
class LocalLauncher : public Launcher {
 public:
  explicit LocalLauncher(LocalLauncherOptions options) : options_(std::move(options)) {}
  ~LocalLauncher() override;  // stops what still runs and waits for it
  LocalLauncher(const LocalLauncher&) = delete;
  LocalLauncher& operator=(const LocalLauncher&) = delete;

  std::size_t slots() const override { return options_.share.slots; }
  void start(std::size_t id, const RunJob& job) override;
  std::vector<RunExit> poll(std::chrono::milliseconds wait) override;
  void stop_run(std::size_t id, bool at_once) override;
  void stop(bool at_once) override;
  bool claimed(const RunJob& job) const override;

 private:
  LocalLauncherOptions options_;
  std::map<std::size_t, int> pids_;  // of what runs, by id
};

// Hardware threads that this process may use: its affinity, and the CPU quota of its container.
std::size_t available_cores();

}  // namespace bitlab
