#include "experiments/bench_load.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/process_memory.h"
#include "experiments/checkpoint.h"
#include "experiments/export_run.h"
#include "experiments/loaded_run.h"
#include "experiments/packed_model.h"

namespace bitlab {

namespace fs = std::filesystem;

namespace {

struct Taken {
  std::size_t bytes = 0;
  double seconds = 0;
};

Taken load(const fs::path& run_dir, LoadWeights weights) {
  const std::size_t before = resident_bytes();
  const Clock::time_point begin = Clock::now();
  const LoadedRun run = load_run(run_dir, weights, Tables::AsStored);
  const double seconds = seconds_since(begin);
  return {resident_bytes() - before, seconds};
}

// What a child says of itself through a pipe; false if it threw. This process loads nothing before,
// so that the child has no memory that was used and freed.
template <class Do>
bool in_child(const Do& act, Taken& taken) {
  int ends[2];
  if (::pipe(ends) != 0) throw Error("pipe", std::strerror(errno));
  const pid_t child = ::fork();
  if (child < 0) throw Error("fork", std::strerror(errno));
  if (child == 0) {
    bool told = false;
    try {
      const Taken mine = act();
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

LoadBench bench(const std::string& name, const fs::path& run_dir, LoadWeights weights) {
  constexpr int kTimes = 3;
  Taken least;
  for (int i = 0; i < kTimes; ++i) {
    Taken taken;
    if (!in_child([&] { return load(run_dir, weights); }, taken)) {
      load_run(run_dir, weights);
      throw Error(run_dir.string(), "could not be loaded in a process of its own");
    }
    if (i == 0 || taken.seconds < least.seconds) least = taken;
  }
  const fs::path file = weights == LoadWeights::Packed
                            ? run_dir / "packed.safetensors"
                            : list_checkpoints(run_dir).back() / "model.safetensors";
  return {name, fs::file_size(file), least.bytes, least.seconds};
}

// A folder that goes with it.
class TemporaryFolder {
 public:
  TemporaryFolder()
      : path_(fs::temp_directory_path() / ("bitlab-load-" + std::to_string(::getpid()))) {
    fs::create_directory(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

LoadBench bench_rounded(const std::string& name, const fs::path& run_dir, ExportWeights weights) {
  const TemporaryFolder temporary;
  const fs::path rounded = temporary.path() / "run";
  Taken none;
  const auto write = [&] {
    export_run(run_dir, rounded, weights);
    return Taken();
  };
  if (!in_child(write, none)) write();
  return bench(name, rounded, LoadWeights::Checkpoint);
}

bool any(const SafetensorsFile& file, DType dtype) {
  const auto& all = file.tensors();
  return std::any_of(all.begin(), all.end(),
                     [dtype](const TensorBytes& t) { return t.dtype == dtype; });
}

}  // namespace

std::vector<LoadBench> bench_load(const fs::path& run_dir) {
  const auto checkpoints = list_checkpoints(run_dir);
  if (checkpoints.empty()) load_run(run_dir);  // says what is missing
  const SafetensorsFile stored(checkpoints.back() / "model.safetensors");
  const fs::path packed = run_dir / "packed.safetensors";
  const bool codes_alone = is_packed(stored), half = any(stored, DType::F16);
  const bool full = !codes_alone && !half && !any(stored, DType::BF16);
  const bool ternary = fs::exists(packed) && any(SafetensorsFile(packed), DType::U8);
  const std::string name = codes_alone ? (half ? "packed-f16" : "packed")
                           : full      ? "f32"
                                       : (half ? "f16" : "bf16");
  std::vector<LoadBench> all = {bench(name, run_dir, LoadWeights::Checkpoint)};
  if (full) all.push_back(bench_rounded("f16", run_dir, ExportWeights::F16));
  if (!codes_alone && ternary) all.push_back(bench("packed", run_dir, LoadWeights::Packed));
  if (full && ternary)
    all.push_back(bench_rounded("packed-f16", run_dir, ExportWeights::PackedF16));
  return all;
}

std::string load_bench_json(const std::vector<LoadBench>& results) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const LoadBench& r : results)
    rows.push_back({{"weights", r.weights},
                    {"file_bytes", r.file_bytes},
                    {"resident_bytes", r.resident_bytes},
                    {"seconds", r.seconds}});
  return nlohmann::ordered_json{{"format", 1}, {"loaded", rows}}.dump(2) + "\n";
}

}  // namespace bitlab
