#pragma once
// One run, from its frozen settings to DONE: the body of a worker process.
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>

namespace bitlab {

struct WorkerOptions {
  std::filesystem::path run_dir;  // holds config.toml, written by the scheduler
  std::string experiment, arm;
  std::uint64_t seed = 1;
  std::size_t threads = 1;  // never changes a result
};

// Trains, or goes on from the last checkpoint, until done. `stop` becomes non-zero (the signal's
// number) when the process shall save and end. Prints its log on standard output. Returns the exit
// code: 0 done, 1 failed (the reason is in the status and the log), 128 + signal stopped with its
// state saved. Takes the run's lock; if another living worker has it, throws Error.
int run_worker(const WorkerOptions& options, const std::atomic<int>& stop);

}  // namespace bitlab
