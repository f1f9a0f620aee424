#include "experiments/bench_load.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/process_memory.h"
#include "experiments/checkpoint.h"
#include "experiments/loaded_run.h"

namespace bitlab {

namespace {

struct Taken {
  std::size_t bytes = 0;
  double seconds = 0;
};

Taken load(const std::filesystem::path& run_dir, LoadWeights weights) {
  const std::size_t before = resident_bytes();
  const Clock::time_point begin = Clock::now();
  const LoadedRun run = load_run(run_dir, weights);
  const double seconds = seconds_since(begin);
  return {resident_bytes() - before, seconds};
}

// What a child says of itself through a pipe; false if it could not be loaded. This process loads
// nothing before, so that the child has no memory that was used and freed.
bool load_in_child(const std::filesystem::path& run_dir, LoadWeights weights, Taken& taken) {
  int ends[2];
  if (::pipe(ends) != 0) throw Error("pipe", std::strerror(errno));
  const pid_t child = ::fork();
  if (child < 0) throw Error("fork", std::strerror(errno));
  if (child == 0) {
    bool told = false;
    try {
      const Taken mine = load(run_dir, weights);
      told = ::write(ends[1], &mine, sizeof mine) == sizeof mine;
    } catch (const std::exception&) {  // comes again where it can be told
    }
    ::_exit(told ? 0 : 1);
  }
  ::close(ends[1]);
  const bool heard = ::read(ends[0], &taken, sizeof taken) == sizeof taken;
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return heard;
}

LoadBench bench(const std::filesystem::path& run_dir, LoadWeights weights) {
  constexpr int kTimes = 3;
  Taken least;
  for (int i = 0; i < kTimes; ++i) {
    Taken taken;
    if (!load_in_child(run_dir, weights, taken)) {
      load_run(run_dir, weights);
      throw Error(run_dir.string(), "could not be loaded in a process of its own");
    }
    if (i == 0 || taken.seconds < least.seconds) least = taken;
  }
  LoadBench result;
  result.packed = weights == LoadWeights::Packed;
  result.file = result.packed ? run_dir / "packed.safetensors"
                              : list_checkpoints(run_dir).back() / "model.safetensors";
  result.file_bytes = std::filesystem::file_size(result.file);
  result.resident_bytes = least.bytes;
  result.seconds = least.seconds;
  return result;
}

}  // namespace

std::vector<LoadBench> bench_load(const std::filesystem::path& run_dir) {
  std::vector<LoadBench> all = {bench(run_dir, LoadWeights::Checkpoint)};
  if (std::filesystem::exists(run_dir / "packed.safetensors"))
    all.push_back(bench(run_dir, LoadWeights::Packed));
  return all;
}

}  // namespace bitlab
